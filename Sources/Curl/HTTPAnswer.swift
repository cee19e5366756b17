import Delivery

/// An HTTP answer while it comes in, bounded.
struct HTTPAnswer {
  /// An answer with more header fields than these bytes is none.
  private static let fieldsLimit = 1 << 16
  /// A longer body is not waited for. It is read that far so that the connection can serve again.
  private static let bodyLimit = 1 << 16

  /// No more of a field's value is kept, in bytes.
  private static let valueLimit = 1000

  private var fieldBytes = 0
  private var bodyBytes = 0
  private var body: [UInt8] = []
  private var retryAfter: String?
  private var rateLimit: [String: String] = [:]
  /// How far the header of the answer, and of each interim one before it, has come.
  private(set) var header = Header.none
  /// Whether the rest of the body was not taken.
  private(set) var isCut = false

  /// How far a header has come.
  enum Header {
    case none, begun, whole, tooLong
  }

  /// Takes a line of the header, the status line and the empty last one among them; false if that is too much.
  mutating func take(line: UnsafeRawBufferPointer) -> Bool {
    fieldBytes += line.count
    // An interim answer (RFC 9110, section 15.2) may stand before the answer, with fields of its own.
    if line.starts(with: "HTTP/".utf8) { (header, retryAfter, rateLimit) = (.begun, nil, [:]) }
    // Fields may follow the body as well.
    if line.elementsEqual("\r\n".utf8) || line.elementsEqual("\n".utf8) { header = .whole }
    if fieldBytes > Self.fieldsLimit { header = .tooLong }
    if let value = Self.value(of: "retry-after", in: line) { retryAfter = value }
    takeRateLimit(line)
    return header != .tooLong
  }

  /// A field that comes again goes on where it ended (RFC 9110, section 5.3).
  private mutating func takeRateLimit(_ line: UnsafeRawBufferPointer) {
    guard let first = line.first, "rx".utf8.contains(first | 0x20) else { return }
    for name in RateLimit.fieldNames {
      guard let value = Self.value(of: name, in: line) else { continue }
      rateLimit[name] = rateLimit[name].map { "\($0), \(value)" } ?? value
    }
  }

  /// Takes a part of the body; false if no more of it is wanted.
  mutating func take(body part: UnsafeRawBufferPointer) -> Bool {
    body += part.prefix(HTTPReply.bodyLimit - body.count)
    bodyBytes += part.count
    isCut = bodyBytes > Self.bodyLimit
    return !isCut
  }

  /// What the answer is, with its status.
  func reply(status: Int) -> HTTPReply {
    HTTPReply(status: status, retryAfter: retryAfter, rateLimit: RateLimit(fields: rateLimit), body: body)
  }

  private static func value(of name: String, in line: UnsafeRawBufferPointer) -> String? {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon == name.utf8.count,
      zip(line, name.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
    else { return nil }
    let text = String(decoding: line[(colon + 1)...].prefix(valueLimit), as: UTF8.self)
    return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
