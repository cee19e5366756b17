import CFCGI
import Glibc

/// A place for a request on libfcgi: one after the other, each from its connection to the end of its answer.
final class Slot {
  private let record: UnsafeMutablePointer<FCGX_Request>

  /// An empty slot, for the connections of a listening socket.
  init(socket: CInt) {
    record = .allocate(capacity: 1)
    FCGX_InitRequest(record, socket, FCGI_FAIL_ACCEPT_ON_INTR)
  }

  deinit {
    FCGX_Free(record, 1)
    record.deallocate()
  }

  /// Takes up a connection; false if there is none to be had.
  func accept() throws(ServerError) -> Bool {
    let code = FCGX_Accept_r(record)
    if code == 0 { return true }
    guard -code == EAGAIN || -code == EINTR || -code == ECONNABORTED else {
      throw ServerError.failed(call: "FCGX_Accept_r", code: -code)
    }
    return false
  }

  /// The request that came.
  func request(bodyLimit: Int, pause: @escaping (_ seconds: Double) -> Bool) -> Request {
    let variables = variables()
    var request = Request(variables)
    request.body = Body(limit: bodyLimit, announced: variables[.contentLength], fill: read)
    request.pause = pause
    return request
  }

  /// Answers it and closes its connection. Whether the web server still listens is its own affair.
  ///
  /// libfcgi first waits, for up to 2 s, until the web server has closed its end: to close one that has something unread may
  /// take the answer back. There is no need for that where all has been read, the end of the content with it.
  func finish(_ request: Request, _ response: Response) {
    write(response.head)
    if request.method != "HEAD" { write(response.body) }
    if request.body.isRead, FCGX_GetChar(record.pointee.in) < 0 { FCGX_Detach(record) }
    FCGX_Finish_r(record)
  }

  /// Reads the content of the request.
  private func read(into memory: UnsafeMutableBufferPointer<UInt8>) -> Int {
    memory.withMemoryRebound(to: CChar.self) { characters in
      var count = 0
      while count < characters.count, let start = characters.baseAddress {
        let wanted = CInt(clamping: characters.count - count)
        let got = FCGX_GetStr(start + count, wanted, record.pointee.in)
        count += Int(got)
        if got < wanted { break }
      }
      return count
    }
  }

  /// libfcgi searches its list from the front for each name that is asked for, so it is walked once here instead. A web server
  /// passes a header that was not sent as an empty one or not at all; it is the same here.
  private func variables() -> [Variable: String] {
    var variables: [Variable: String] = [:]
    guard var entry = record.pointee.envp else { return variables }
    while let text = entry.pointee {
      if let equals = strchr(text, CInt(UInt8(ascii: "="))) {
        let name = UnsafeRawBufferPointer(start: text, count: equals - text)
        if let variable = Variable(rawValue: String(decoding: name, as: UTF8.self)), equals[1] != 0 {
          variables[variable] = String(cString: equals + 1)
        }
      }
      entry += 1
    }
    return variables
  }

  private func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer.bindMemory(to: CChar.self)[...]
      while !rest.isEmpty {
        let part = UnsafeBufferPointer(rebasing: rest.prefix(1 << 30))
        guard FCGX_PutStr(part.baseAddress, CInt(part.count), record.pointee.out) >= 0 else { return }
        rest = rest.dropFirst(part.count)
      }
    }
  }
}
