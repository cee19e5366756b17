/// A value for a statement's `$n`, in PostgreSQL's binary format, so that nothing is ever escaped or cut at a NUL.
///
/// A parameter carries its type even when it is NULL, because the first use of a statement on a connection settles the types.
/// Text with a NUL or that is no UTF-8 is refused by the server (22021), not by the process.
package struct Parameter: Sendable {
  let type: ObjectID
  let bytes: [UInt8]?

  private init(_ type: ObjectID, _ bytes: [UInt8]?) {
    self.type = type
    self.bytes = bytes
  }

  /// `text`.
  package static func text(_ value: String?) -> Parameter { Parameter(.text, value.map { Array($0.utf8) }) }

  /// `bigint`.
  package static func int(_ value: Int?) -> Parameter { Parameter(.bigint, value.map { $0.bigEndianBytes }) }

  /// `boolean`.
  package static func bool(_ value: Bool?) -> Parameter { Parameter(.boolean, value.map { [$0 ? 1 : 0] }) }

  /// `bytea`.
  package static func bytes(_ value: [UInt8]?) -> Parameter { Parameter(.bytea, value) }

  /// `json`, kept byte for byte by the server. Bytes that are no JSON are refused by the server (22P02).
  package static func json(_ value: [UInt8]?) -> Parameter { Parameter(.json, value) }

  /// `text[]`.
  package static func texts(_ values: [String]?) -> Parameter {
    Parameter(.textArray, values.map { BinaryArray.encoded($0.map(\.utf8), of: .text) })
  }

  /// `text[]` some of whose elements are NULL.
  package static func texts(_ values: [String?]) -> Parameter {
    Parameter(.textArray, BinaryArray.encoded(values.map { $0?.utf8 }, of: .text))
  }

  /// `bigint[]`.
  package static func ints(_ values: [Int]?) -> Parameter {
    Parameter(.bigintArray, values.map { BinaryArray.encoded($0.map(\.bigEndianBytes), of: .bigint) })
  }

  /// `bigint[]` some of whose elements are NULL.
  package static func ints(_ values: [Int?]) -> Parameter {
    Parameter(.bigintArray, BinaryArray.encoded(values.map { $0?.bigEndianBytes }, of: .bigint))
  }

  /// `boolean[]`.
  package static func bools(_ values: [Bool]) -> Parameter {
    Parameter(.booleanArray, BinaryArray.encoded(values.map { [$0 ? 1 : 0] }, of: .boolean))
  }

  /// `json[]`.
  package static func jsons(_ values: [[UInt8]]) -> Parameter {
    Parameter(.jsonArray, BinaryArray.encoded(values, of: .json))
  }
}

/// The number of a type in `pg_type`; those of built-in types never change.
struct ObjectID: Sendable {
  let rawValue: UInt32

  static let boolean = ObjectID(rawValue: 16)
  static let bytea = ObjectID(rawValue: 17)
  static let bigint = ObjectID(rawValue: 20)
  static let text = ObjectID(rawValue: 25)
  static let json = ObjectID(rawValue: 114)
  static let jsonArray = ObjectID(rawValue: 199)
  static let booleanArray = ObjectID(rawValue: 1000)
  static let textArray = ObjectID(rawValue: 1009)
  static let bigintArray = ObjectID(rawValue: 1016)
}

extension [UInt8] {
  /// Appends an integer as PostgreSQL sends it, most significant byte first.
  mutating func append(bigEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }
}

extension FixedWidthInteger {
  /// The value as PostgreSQL sends it, most significant byte first.
  var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
