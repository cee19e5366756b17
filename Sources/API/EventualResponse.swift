import FastCGI

/// What a call comes to, by itself or together with others: an answer, or why there is none.
package typealias EventualResponse = Eventual<Result<Response, any Error>>

extension Eventual where Value == Result<Response, any Error> {
  /// What a body makes. An error that it throws may take a question to the database to be told, so that is done alone.
  init(_ body: () throws -> Self) {
    do {
      self = try body()
    } catch {
      self = .alone { .failure(error) }
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
