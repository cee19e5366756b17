import Host
import TestSupport
import Testing

@testable import FastCGI

@Suite("The parameters that nginx passes") struct ParameterTests {
  @Test("They are those that a worker reads, and no others")
  func parameters() throws {
    let file = try File.read(TestDatabase.checkout + "/nginx/tocsin_params")
    let lines = String(decoding: file, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
    let passed = lines.filter { $0.first == "fastcgi_param" }.compactMap { Variable(rawValue: String($0[1])) }
    #expect(passed.count == lines.filter { $0.first == "fastcgi_param" }.count)
    // REQUEST_URI says all that these three say.
    let needless: Set<Variable> = [.scriptName, .pathInfo, .query]
    #expect(Set(passed) == Set(Variable.allCases).subtracting(needless))
  }
}
