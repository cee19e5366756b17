import FastCGI

/// The yardstick of the batch benchmark: a worker that drops the body and answers a constant.
@main
struct Sink {
  static func main() throws {
    let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65536)
    defer { memory.deallocate() }
    try Server.run(bodyLimit: 16 << 20) { request in
      do {
        while try request.body.read(into: memory) == memory.count {}
        return Response(.ok, body: Array("{}".utf8))
      } catch {
        return Response(.badRequest)
      }
    }
  }
}
