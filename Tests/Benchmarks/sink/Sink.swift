import FastCGI

/// The yardstick of the batch benchmark: a worker that drops the body and answers a constant.
@main
struct Sink {
  static func main() throws {
    try Server.run(bodyLimit: 16 << 20) { request in
      switch request.body {
      case .success: Response(.ok, body: Array("{}".utf8))
      case .failure: Response(.badRequest)
      }
    }
  }
}
