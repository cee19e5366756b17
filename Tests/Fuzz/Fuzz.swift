import Glibc
import JSON

@testable import Matching

/// libFuzzer, which `-sanitize=fuzzer` links: it makes up inputs and calls back with each.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ argumentCount: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<Int8>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// Looks for inputs that whatever reads what others have written gets wrong; `deploy/fuzz` runs it. A check that fails stops
/// the program, and libFuzzer writes the input down.
@main
struct Program {
  static func main() {
    var argumentCount = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(runFuzzer(&argumentCount, &arguments, testOneInput))
  }
}

/// Named as libFuzzer's own main function, which is linked and not used, wants it.
@_cdecl("LLVMFuzzerTestOneInput")
private func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let input = UnsafeBufferPointer(start: start, count: count)
  Fuzz.shared.checkReaders(input)
  Fuzz.checkWriter(input)
  Fuzz.checkLines(input)
  Fuzz.checkElements(input)
  Fuzz.checkDocuments(input)
  Fuzz.checkTemplate(input)
  Fuzz.checkRequest(input)
  Fuzz.checkQuery(input)
  Fuzz.checkPayload(input)
  Fuzz.checkFrame(input)
  Fuzz.checkTokens(input)
  return 0
}

/// The checks.
final class Fuzz {
  nonisolated(unsafe) static let shared = Fuzz()

  private let expressions: [Expression]
  private let matcher: Matcher

  private init() {
    var cases = RandomCases(seed: 3)
    do {
      expressions = try (0..<60).map { _ in try Expression(json: JSONValue(parsing: cases.rule().utf8)) }
    } catch {
      fatalError("a random rule is refused: \(error)")
    }
    matcher = Matcher(expressions)
  }

  static func result<Success>(
    _ body: () throws(JSONSyntaxError) -> Success
  ) -> Result<Success, JSONSyntaxError> { Result(catching: body) }

  /// The scanner of events and the reader of documents accept the same or refuse it at the same byte, and what matches is what
  /// a naive evaluation says.
  func checkReaders(_ input: UnsafeBufferPointer<UInt8>) {
    let document = Self.result { () throws(JSONSyntaxError) in try JSONValue(parsing: input) }
    let matches = Self.result { () throws(JSONSyntaxError) in try matcher.match(input.span) }
    switch (document, matches) {
    case (.success(let event), .success(let found)) where event.object != nil:
      let expected = expressions.indices.filter { Oracle.holds(expressions[$0], for: event) }
      precondition(found == expected, "found \(found), expected \(expected)")
    case (.success(let value), .failure(let found)):
      precondition(value.object == nil && found.reason == "expected an object", "\(found)")
    case (.failure(let expected), .failure(let found)):
      precondition(found == expected || found.reason == "expected an object", "found \(found), expected \(expected)")
    case (_, .success):
      preconditionFailure("an event is read that is no object: \(document)")
    }
  }

  /// What has been read and is written is read as the same and written as the same.
  static func checkWriter(_ input: UnsafeBufferPointer<UInt8>) {
    guard case .success(let value) = result({ () throws(JSONSyntaxError) in try JSONValue(parsing: input) }) else {
      return
    }
    let written = value.json
    switch result({ () throws(JSONSyntaxError) in try JSONValue(parsing: written) }) {
    case .failure(let error): preconditionFailure("what is written is refused: \(error)")
    case .success(let again): precondition(again == value && again.json == written, "what is written reads as another")
    }
  }

  /// The events of a body that is read through a small window.
  private static func events(
    of input: UnsafeBufferPointer<UInt8>, limit: Int,
    _ read: (inout EventBatch, (Span<UInt8>?) throws -> Void) throws -> Void
  ) throws -> [[UInt8]?] {
    var offset = 0
    var batch = EventBatch(count: nil, eventLimit: limit, windowSize: 16 + input.count % 61) { room in
      let count = min(room.count, input.count - offset)
      _ = room.initialize(from: input[offset..<offset + count])
      offset += count
      return count
    }
    var events: [[UInt8]?] = []
    try read(&batch) { event in
      if let event { events.append(event.withUnsafeBufferPointer { Array($0) }) } else { events.append(nil) }
    }
    return events
  }

  private static func limit(for input: UnsafeBufferPointer<UInt8>) -> Int { 8 + Int(input.first ?? 0) }

  /// Lines are what stands between line feeds.
  static func checkLines(_ input: UnsafeBufferPointer<UInt8>) {
    let limit = limit(for: input)
    let lines = input.split(separator: 0x0A, omittingEmptySubsequences: true).map { Array($0) }
    let expected = lines.filter { !$0.allSatisfy(\.isSpace) }.map { $0.count > limit ? nil : $0 }
    do {
      let found = try events(of: input, limit: limit) { try $0.lines($1) }
      precondition(found == expected, "\(found.count) lines, expected \(expected.count)")
    } catch {
      preconditionFailure("a body of lines is refused: \(error)")
    }
  }

  /// Elements are those of the array as a document, which must be one as a whole.
  static func checkElements(_ input: UnsafeBufferPointer<UInt8>) {
    let limit = limit(for: input)
    let document = result { () throws(JSONSyntaxError) in try JSONValue(parsing: input) }
    do {
      let found = try events(of: input, limit: limit) { try $0.elements($1) }
      guard case .success(.array(let expected)) = document else {
        // An element may nest as deep as a document, and the array around it is no part of it.
        if case .failure(let error) = document, error.reason.hasPrefix("nested") { return }
        preconditionFailure("elements of what is no array: \(document)")
      }
      precondition(found.count == expected.count, "\(found.count) elements, expected \(expected.count)")
      for (found, expected) in zip(found, expected) {
        guard let found else { continue }
        let value = try JSONValue(parsing: found)
        precondition(value == expected, "another element")
      }
    } catch let error as JSONSyntaxError {
      switch document {
      case .success(let value):
        if case .array = value { preconditionFailure("an array is refused: \(error)") }
        precondition(error.reason == "expected an array", "\(error)")
      case .failure(let expected):
        let isDeep = expected.reason.hasPrefix("nested") && error.offset > expected.offset
        precondition(
          error == expected || error.reason == "expected an array" || isDeep, "\(error), expected \(expected)")
      }
    } catch {
      preconditionFailure("a body in memory cannot be read: \(error)")
    }
  }
}
