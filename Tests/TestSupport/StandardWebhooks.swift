import Host
import JSON

/// What a receiver makes of a request that checks it with the library of Standard Webhooks, the one from PyPI.
package enum StandardWebhooks {
  /// `accepted`, or `refused: ` and the library's reason.
  package static func verdict(on request: HTTPReceiver.Request, body: [UInt8]? = nil, secret: String) throws -> String {
    let input: JSONValue = [
      "secret": .string(secret), "body": .latin1(body ?? request.body),
      "headers": .object(JSONObject(request.headers.map { ($0.key, .string($0.value)) })),
    ]
    guard let library = Environment["TOCSIN_TEST_PYTHON"] else {
      throw ReceiverFailure("TOCSIN_TEST_PYTHON is not set: start the tests with deploy/test")
    }
    let script = TestDatabase.checkout + "/Tests/TestSupport/verify_webhook.py"
    let program = try Program(
      "/usr/bin/python3", arguments: [script], environment: ["PYTHONPATH": library], input: .bytes(input.json))
    guard program.ending() == .exit(0) else { throw ReceiverFailure("no verdict: \(program.standardError)") }
    return String(decoding: program.standardOutput, as: UTF8.self)
  }
}
