import JSON

@testable import Matching

/// What clients store: policies, rules, suppressions, and the templates in them.
extension Fuzz {
  /// A policy or rule that is taken is taken again as it is stored, and stored the same; a suppression is taken or refused.
  static func checkDocuments(_ input: UnsafeBufferPointer<UInt8>) {
    guard case .success(let value) = result({ () throws(JSONSyntaxError) in try JSONValue(parsing: input) }) else {
      return
    }
    checkAgain(value, Policy.init(json:), \.document)
    checkAgain(value, Rule.init(json:), \.document)
    _ = try? Suppression(json: value)
  }

  private static func checkAgain<Document>(
    _ value: JSONValue, _ read: (JSONValue) throws(JSONFaults) -> Document, _ document: (Document) -> JSONObject
  ) {
    guard let taken = try? read(value) else { return }
    let stored = document(taken)
    do throws(JSONFaults) {
      let again = try read(.object(stored))
      precondition(document(again) == stored, "it is stored as another document")
    } catch {
      preconditionFailure("what is stored is refused: \(error.faults)")
    }
  }

  /// A template says no more than it may, and one without braces and NUL says itself.
  static func checkTemplate(_ input: UnsafeBufferPointer<UInt8>) {
    let limit = 64
    let source = String(decoding: input, as: UTF8.self)
    let event: JSONValue = ["user": ["name": "root", "roles": ["a", 1, nil]], "text": .string(source)]
    let rendered = Template(source).rendered(event: event, alert: ["alert_id": "alert-1"], limit: limit)
    precondition(rendered.unicodeScalars.count <= limit, "\(rendered.unicodeScalars.count) characters")
    guard !source.utf8.contains(where: { [0, UInt8(ascii: "{"), UInt8(ascii: "}")].contains($0) }) else { return }
    precondition(source.unicodeScalars.count > limit || rendered == source, "plain text becomes \(rendered)")
  }
}
