import Foundation
import TestSupport
import Testing

@Suite("The units of systemd")
struct UnitTests {
  @Test(
    "What a worker and a job may do is little, by the judgement of systemd-analyze: 2.0 of 10 at most",
    arguments: ["pool", "job"])
  func exposure(kind: String) async throws {
    let folder = try TemporaryFolder()
    let templates = Checkout.top.path + "/deploy/systemd/"
    let unit = try ["\(kind).service", "service"]
      .map { try String(contentsOfFile: templates + $0 + ".template", encoding: .utf8) }.joined()
      .replacing("@NAME@", with: "test").replacing("@HOME@", with: "/usr/local/lib/tocsin")
      .replacing("@SECONDS@", with: "ALERTING_TEST_SECONDS")
    let file = folder.path + "/tocsin-test@.service"
    try unit.write(toFile: file, atomically: true, encoding: .utf8)
    func judge(_ tenths: Int) async throws -> Command {
      try await Command.run("systemd-analyze", ["security", "--offline=true", "--threshold=\(tenths)", file])
    }
    let judged = try await judge(20)
    #expect(judged.status == 0, "\(judged.output)\(judged.errors)")
    #expect(judged.output.contains("Overall exposure level"))
    // It does judge.
    #expect(try await judge(1).status != 0)
  }
}
