import JSON

@testable import Spool

/// What lies in a spool, where a crash may leave anything.
extension Fuzz {
  /// A payload that can be read is written again as one that reads as the same.
  static func checkPayload(_ input: UnsafeBufferPointer<UInt8>) {
    guard let body = try? SpooledBody(payload: Array(input), events: 1) else { return }
    do {
      let again = try SpooledBody(payload: body.payload, events: 1)
      precondition(again == body, "it reads as another")
    } catch {
      preconditionFailure("what is written is refused: \(error)")
    }
  }

  /// A record is found again where it was written, and bytes that are none are not taken for one.
  static func checkFrame(_ input: UnsafeBufferPointer<UInt8>) {
    let bytes = Array(input)
    if let frame = Frame(header: bytes.prefix(Frame.headerSize)) {
      precondition(frame.length <= Frame.payloadLimit, "\(frame.length) bytes")
      _ = frame.fits(Array(bytes.dropFirst(Frame.headerSize).prefix(frame.length)))
    }
    let record = Frame.record(bytes, events: 7)
    let frame = Frame(header: record.prefix(Frame.headerSize))
    precondition(frame?.size == record.count && frame?.events == 7 && frame?.fits(bytes) == true, "a record is lost")
    precondition(Frame.candidates(in: record).first == 0, "a record is not found")
    guard !bytes.isEmpty else { return }
    var damaged = bytes
    damaged[bytes.count / 2] ^= 1
    precondition(frame?.fits(damaged) == false, "a damaged record is taken")
  }
}
