import JSON

@testable import API
@testable import FastCGI

/// What the web server passes on of a request.
extension Fuzz {
  /// The variables that lie in the input, one behind the other with a NUL between them, make a request whatever is in them.
  static func checkRequest(_ input: UnsafeBufferPointer<UInt8>) {
    let texts = input.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    let variables = Dictionary(uniqueKeysWithValues: zip(Variable.allCases, texts))
    let request = Request(variables)
    precondition(!request.path.contains("?"), "a query in the path \(request.path)")
    if let key = try? Authenticator.credential(of: request) {
      precondition(!key.isEmpty && !key.contains(" "), "no key: \(key)")
    }
  }

  /// What is decoded of a query has no NUL, and what is encoded is decoded to itself.
  static func checkQuery(_ input: UnsafeBufferPointer<UInt8>) {
    let text = String(decoding: input, as: UTF8.self)
    if let query = try? Query(text), let page = try? query.page() {
      precondition((1...100).contains(page.size), "\(page.size) a page")
    }
    let encoded = text.utf8.map { ($0 < 16 ? "%0" : "%") + String($0, radix: 16) }.joined()
    precondition(PercentEncoding.decoded(encoded.utf8) == text, "not decoded: \(encoded)")
  }
}
