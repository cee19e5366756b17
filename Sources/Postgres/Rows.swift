import CPQ

/// What a statement gave back, in the server's order.
package struct Rows: RandomAccessCollection {
  private let result: ServerResult

  init(_ result: ServerResult) { self.result = result }

  package var startIndex: Int { 0 }
  package var endIndex: Int { Int(PQntuples(result.pointer)) }
  package subscript(position: Int) -> Row { Row(result: result, number: Int32(position)) }
}

/// One row. Columns are read by number, from 0, as the type that the statement's SQL gives them: reading another type, or a
/// NULL by a function that has no answer for it, is a mistake of the program and stops it.
package struct Row {
  let result: ServerResult
  let number: Int32

  /// Whether the column is NULL.
  package func isNull(_ column: Int) -> Bool { PQgetisnull(result.pointer, number, Int32(column)) == 1 }

  /// A column of type text, varchar, name or json.
  package func text(_ column: Int) -> String { String(decoding: value(column), as: UTF8.self) }

  /// As ``text(_:)``; nil for NULL.
  package func textOrNil(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

  /// A column of type bytea, or the bytes of a text or json.
  package func bytes(_ column: Int) -> [UInt8] { Array(value(column)) }

  /// As ``bytes(_:)``; nil for NULL.
  package func bytesOrNil(_ column: Int) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

  /// How many bytes ``bytes(_:)`` would have.
  package func length(_ column: Int) -> Int { value(column).count }

  /// A column of type smallint, integer or bigint.
  package func int(_ column: Int) -> Int {
    let bytes = value(column)
    switch bytes.count {
    case 2: return Int(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
    case 4: return Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
    case 8: return Int(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
    default: preconditionFailure("column \(column) is no integer")
    }
  }

  /// As ``int(_:)``; nil for NULL.
  package func intOrNil(_ column: Int) -> Int? { isNull(column) ? nil : int(column) }

  /// A column of type boolean.
  package func bool(_ column: Int) -> Bool {
    let bytes = value(column)
    precondition(bytes.count == 1, "column \(column) is no boolean")
    return bytes[0] == 1
  }

  /// A column of type text[] without NULLs.
  package func texts(_ column: Int) -> [String] {
    BinaryArray.decoded(value(column)).map { element in
      guard let element else { preconditionFailure("column \(column) has a NULL in its array") }
      return String(decoding: element, as: UTF8.self)
    }
  }

  /// The value's bytes, good for as long as the row is held.
  private func value(_ column: Int) -> UnsafeRawBufferPointer {
    precondition(column < Int(PQnfields(result.pointer)), "there is no column \(column)")
    precondition(!isNull(column), "column \(column) is NULL")
    let length = Int(PQgetlength(result.pointer, number, Int32(column)))
    return UnsafeRawBufferPointer(start: PQgetvalue(result.pointer, number, Int32(column)), count: length)
  }
}

/// The owner of libpq's memory for one result.
final class ServerResult {
  let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit { PQclear(pointer) }

  /// The error it stands for, or nil if it is none. Without an SQLSTATE it comes from libpq itself: the connection is lost.
  var error: PostgresError? {
    switch PQresultStatus(pointer) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return nil
    default: break
    }
    guard let state = sqlState else {
      return .unreachable(reason: cleaned(PQresultErrorMessage(pointer)))
    }
    return PostgresError(
      PostgresError.Refusal(
        sqlState: state, message: field(CPQ_MESSAGE) ?? "no message",
        constraint: field(CPQ_CONSTRAINT)))
  }

  /// Whether it stands for the end of a pipeline.
  var endsPipeline: Bool { PQresultStatus(pointer) == PGRES_PIPELINE_SYNC }

  /// The five characters of the error; nil where the server did not send it.
  var sqlState: String? { field(CPQ_SQLSTATE) }

  private func field(_ code: Int32) -> String? { PQresultErrorField(pointer, code).map { String(cString: $0) } }
}

/// A message of libpq's as one line.
func cleaned(_ message: UnsafePointer<CChar>?) -> String {
  guard let message else { return "no reason is known" }
  return String(cString: message).split(whereSeparator: \.isNewline)
    .map { $0.drop(while: \.isWhitespace) }
    .joined(separator: "; ")
}
