import Foundation
import Testing

/// What nginx keeps from the workers. Each has an nginx of its own, so that no other test pays for what is done to it.
@Suite("Clients that are slow, greedy or forward")
struct ClientTests {
  private static let target = "/api/v1/alerts/process-event"

  /// A request of which only the beginning is there: its head in full, and one byte of a hundred.
  private func beginning(key: String) -> String {
    "POST \(Self.target) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nContent-Type: application/json\r\n"
      + "Content-Length: 100\r\n\r\n{"
  }

  @Test("While 200 clients dribble, half of them in the head and half in the body, every other request is answered")
  func slowClients() async throws {
    let key = try await Instance.shared.makeKey(tenant: "slow", role: "ingest")
    // However slow the machine is, no client is left while this lasts.
    let nginx = try await Nginx(
      of: .shared,
      edits: [
        ("client_header_timeout 10s", "client_header_timeout 1h"),
        ("client_body_timeout 20s", "client_body_timeout 1h"),
      ])
    let heads = try (0..<100).map { _ in try RawClient(port: nginx.port) }
    for client in heads { client.send("POST \(Self.target) HTTP/1.1\r\nHost: ") }
    let bodies = try (0..<100).map { _ in try RawClient(port: nginx.port) }
    for client in bodies { client.send(beginning(key: key)) }
    for _ in 0..<5 {
      for client in heads { client.send("x") }
      for client in bodies { client.send(" ") }
      let answer = try RawClient(port: nginx.port).answer(
        to: "POST \(Self.target) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nConnection: close\r\n"
          + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
      #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
    }
    // There are fewer workers than slow clients, and the web server still waits for every one of these.
    #expect((heads + bodies).allSatisfy { !$0.isAnswered })
  }

  @Test("A client that never comes to the end of its head is left, however it dribbles")
  func endlessHead() async throws {
    let nginx = try await Nginx(of: .shared, edits: [("client_header_timeout 10s", "client_header_timeout 1s")])
    let client = try RawClient(port: nginx.port)
    client.send("GET /health HTTP/1.1\r\n")
    try await wait(upTo: 60, for: "the end") { !client.send("X-Field: x\r\n") || client.isAnswered }
  }

  @Test("A client that stops in the midst of a body is left")
  func endlessBody() async throws {
    let nginx = try await Nginx(of: .shared, edits: [("client_body_timeout 20s", "client_body_timeout 1s")])
    let client = try RawClient(port: nginx.port)
    client.send(beginning(key: "none"))
    let answer = try client.answer()
    #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 408"))
  }

  @Test("A transfer coding that nginx does not know is a problem in JSON as well")
  func unknownCoding() async throws {
    let answer = try await RawClient(port: Instance.shared.port).answer(
      to: "POST \(Self.target) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n{}")
    #expect(answer.hasPrefix("HTTP/1.1 501"))
    #expect(answer.contains("Content-Type: application/problem+json\r\n"))
    #expect(answer.contains(#""status":501"#))
  }

  @Test("More requests of one address at once than it may have are 429; those of another are answered")
  func connections() async throws {
    let nginx = try await Nginx(
      of: .shared,
      edits: [
        ("limit_conn tocsin_clients 512", "limit_conn tocsin_clients 3"),
        ("client_body_timeout 20s", "client_body_timeout 1h"),
      ])
    func begin() throws -> RawClient {
      let client = try RawClient(port: nginx.port, from: "127.0.1.2")
      client.send(beginning(key: "none"))
      return client
    }
    var busy = try (0..<3).map { _ in try begin() }
    let request = "GET /docs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    // Until nginx has read of the others what is there of them, it may still answer, and refuse one of them instead.
    var answer = ""
    try await wait(upTo: 60, for: "a refusal") {
      busy = try busy.map { try $0.isAnswered ? begin() : $0 }
      answer = try RawClient(port: nginx.port, from: "127.0.1.2").answer(to: request)
      return answer.hasPrefix("HTTP/1.1 429")
    }
    #expect(answer.contains("Content-Type: application/problem+json\r\n"))
    #expect(answer.contains("Retry-After: 1\r\n"))
    #expect(answer.contains(#""status":429"#))
    #expect(busy.allSatisfy { !$0.isAnswered })
    let other = try RawClient(port: nginx.port, from: "127.0.1.3").answer(to: request)
    #expect(other.hasPrefix("HTTP/1.1 200"))
  }

  @Test("Requests without a key are 429 when they are too many, and those with one are not counted")
  func strangers() async throws {
    let key = try await Instance.shared.makeKey(tenant: "stranger", role: "viewer")
    let nginx = try await Nginx(of: .shared, edits: [("rate=100r/s", "rate=1r/m"), ("burst=500", "burst=2")])
    func statuses(_ count: Int, path: String, fields: String = "") throws -> [Substring] {
      try (0..<count).map { _ in
        try RawClient(port: nginx.port).answer(
          to: "GET \(path) HTTP/1.1\r\nHost: x\r\n\(fields)Connection: close\r\n\r\n"
        ).dropFirst(9).prefix(3)
      }
    }
    let fields = "Authorization: Bearer \(key)\r\n"
    #expect(try statuses(10, path: "/api/v1/alerts/policies", fields: fields).allSatisfy { $0 == "200" })
    let answers = try statuses(10, path: "/docs")
    #expect(answers.prefix(3).allSatisfy { $0 == "200" })
    #expect(answers.contains("429"))
    #expect(try statuses(1, path: "/api/v1/alerts/policies", fields: fields) == ["200"])
  }

  @Test("No answer lets the page of another site read it: none has a header of CORS")
  func crossOrigin() async throws {
    let instance = try await Instance.shared
    let document = try JSONSerialization.jsonObject(
      with: Data(contentsOf: Checkout.top.appending(path: "nginx/docs/openapi.json")))
    let paths = try #require((document as? [String: Any])?["paths"] as? [String: Any]).keys
      .map { $0.replacing(#/\{\w+\}/#, with: "some") }
    for path in paths + ["/openapi.json", "/docs", "/docs/docs.js", "/nothing"] {
      for method in ["OPTIONS", "GET"] {
        let answer = try RawClient(port: instance.port).answer(
          to: """
            \(method) \(path) HTTP/1.1\r\nHost: x\r\nOrigin: https://example.com\r\n\
            Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\
            Authorization: Bearer \(instance.key)\r\nConnection: close\r\n\r\n
            """)
        #expect(answer.hasPrefix("HTTP/1.1 "))
        #expect(!answer.lowercased().contains("access-control-"), "\(method) \(path)")
      }
    }
  }

  @Test(
    "What a client sends reaches no log as it is, if a terminal or a reader of lines could take it for more than text")
  func logs() async throws {
    let instance = try await Instance.shared
    let mark = UUID().uuidString
    let planted: [[UInt8]] = [[0x1B], [0x9B], [0xC2, 0x9B], [0xE2, 0x80, 0xAE], [0x7F]]
    for bytes in planted {
      let client = try RawClient(port: instance.port)
      client.send(Array("GET /api/v1/alerts/alerts/\(mark)".utf8) + bytes + Array("[2J HTTP/1.1\r\nHost: x\r\n".utf8))
      client.send(Array("Referer: \(mark)".utf8) + bytes + Array("[2J\r\nConnection: close\r\n\r\n".utf8))
      #expect(try client.answer().hasPrefix("HTTP/1.1 400 "))
    }
    let escapes = ["%0A", "%0D%0A", "%1B[2J", "%C2%9B2J", "%E2%80%A8", "%22"]
    for escape in escapes + ["%00"] {
      let answer = try RawClient(port: instance.port).answer(
        to: "GET /api/v1/alerts/alerts/\(mark)\(escape)x?y=\(escape) HTTP/1.1\r\nHost: x\r\n"
          + "Authorization: Bearer \(instance.key)\r\nConnection: close\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 4"))
    }
    let digits = String(repeating: "5eed", count: 18)
    _ = try await instance.send("/api/v1/alerts/keys/\(mark)tocsin_\(digits)")
    let accessLog = URL(filePath: instance.state + "/nginx/access.log")
    func entries() throws -> [Substring] {
      String(decoding: try Data(contentsOf: accessLog), as: UTF8.self).split(separator: "\n").filter {
        $0.contains(mark)
      }
    }
    try await wait(upTo: 60, for: "the access log") {
      let text = try entries().joined()
      return escapes.allSatisfy { text.contains(mark + $0) } && text.contains(mark + "tocsin_")
    }
    #expect(try entries().allSatisfy { !$0.contains("5eed") })
    for entry in try entries() {
      #expect(try JSONSerialization.jsonObject(with: Data(entry.utf8)) is [String: Any])
      #expect(entry.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }
    let lines = try instance.logs().split(separator: "\n").filter { $0.contains(mark) }
    #expect(lines.allSatisfy { $0.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } })
  }
}
