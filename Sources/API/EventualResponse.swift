import FastCGI

/// What a call comes to, at once or together with others that wait: an answer, or why there is none.
package typealias EventualResponse = Eventual<Result<Response, any Error>>

extension Eventual where Value == Result<Response, any Error> {
  /// What a body makes, or the error that it throws.
  init(_ body: () throws -> Self) {
    do {
      self = try body()
    } catch {
      self = .now(.failure(error))
    }
  }
}

extension Result<Response, any Error> {
  /// The same with more fields in the header of the answer to a request, whatever that is.
  func with(_ fields: [(name: String, value: String)], _ request: Request) -> Self {
    map { response in
      var response = response
      response.headers += fields
      return response
    }
    .mapError { Problem($0, request: request).with(fields) }
  }
}

extension Request {
  /// The longest content of a request that others wait for, in bytes.
  private static let quickSize = 1 << 14

  /// Whether it is soon dealt with, so that others may be answered together with it: it brings little, and does not ask to wait.
  package var isQuick: Bool {
    (body.announcedCount.map { $0 <= Self.quickSize } ?? false) && prefer == nil
  }

  /// Whether it may be answered together with one that waits: it is quick, and the same is asked with the same key.
  func joins(_ waiting: Request) -> Bool {
    isQuick && authorization == waiting.authorization && path == waiting.path && query == waiting.query
      && method == waiting.method
  }
}
