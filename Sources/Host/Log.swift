import Glibc

/// What a program tells its operator: one line of text an entry, on standard error.
///
/// An entry is `2025-03-01T07:05:09Z policies error: message key="value"`. What cannot be seen, such as control characters, line
/// separators and marks that turn the direction of writing, is written as escapes, so nobody whose text is logged can forge a
/// line. A line is cut at ``lengthLimit``, which Linux still writes to a pipe in one piece (pipe(7), `PIPE_BUF`). Secrets do not
/// belong here.
package enum Log {
  /// The most bytes of one line, its line feed included.
  package static let lengthLimit = 4096

  /// Something that an operator may like to know.
  package static func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write("info", message, fields)
  }

  /// Something that went wrong and was made good.
  package static func warning(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write("warning", message, fields)
  }

  /// Something that went wrong and that somebody should look at.
  package static func error(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write("error", message, fields)
  }

  /// The line for an entry, without its line feed.
  package static func line(
    time: Int, program: String, level: String, message: String, fields: KeyValuePairs<String, String>
  ) -> String {
    var line = "\(Clock.rfc3339(time)) \(program) \(level): \(printable(message))"
    for (key, value) in fields { line += " \(key)=\"\(printable(value, quote: true))\"" }
    return line
  }

  private static func write(_ level: String, _ message: String, _ fields: KeyValuePairs<String, String>) {
    let line = line(time: Clock.now, program: program, level: level, message: message, fields: fields)
    let bytes = Array(line.utf8.prefix(lengthLimit - 1)) + [UInt8(ascii: "\n")]
    // Where standard error is closed there is nobody left to tell.
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }

  /// The name of the executable's file: `policies`.
  private static var program: String {
    let path = CommandLine.arguments.first ?? ""
    return path.split(separator: "/").last.map(String.init) ?? "tocsin"
  }

  /// The text as a line, or a part of one, that has nothing on it but what can be seen. A quotation mark is escaped where one is to
  /// end it.
  package static func printable(_ text: String, quote: Bool = false) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"" where quote: result += "\\\""
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where isInvisible(scalar): result += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
