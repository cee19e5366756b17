import Glibc
import Host
import TestSupport
import Testing

@testable import Hooks

@Suite("The file with the hooks") struct SettingsFileTests {
  /// What a file with such content is read as.
  private func read(_ content: String, mode: mode_t = 0o600) throws -> Result<Int, SettingsFile.Unusable> {
    let path = "/tmp/" + Identifier.make("tocsin-hooks-test-")
    try File.replace(path, with: Array(content.utf8))
    defer { unlink(path) }
    chmod(path, mode)
    return Result { () throws(SettingsFile.Unusable) in try SettingsFile(path: path).read().hooks.count }
      .mapError { .init(description: $0.description.replacing(path, with: "FILE")) }
  }

  @Test("Every kind can be written in it")
  func kinds() throws {
    let content = """
      {"hooks": [
        {"name": "a", "kind": "webhook", "url": "https://example.com/"},
        {"name": "b", "kind": "slack", "webhook_url": "https://hooks.slack.com/services/T/B/x"},
        {"name": "c", "kind": "pagerduty", "api_key": "0123456789abcdef0123456789abcdef", "region": "eu"},
        {"name": "d", "kind": "email", "smtp_host": "mail.example.com", "smtp_port": 587, "from_email": "a@example.com",
         "to_emails": ["b@example.com"]},
        {"name": "e", "kind": "command", "command": ["/bin/true"]}]}
      """
    #expect(try read(content).get() == 5)
    #expect(try read("{}").get() == 0)
  }

  @Test("The example of the README is one")
  func example() throws {
    let readme = String(decoding: try File.read(TestDatabase.checkout + "/README.md"), as: UTF8.self)
    let example = try #require(readme.firstMatch(of: #/>\/etc\/tocsin-storage.json <<'END'\n([^~]*?)\n    END\n/#))
    #expect(try read(String(example.1)).get() == 5)
  }

  @Test(
    "What is wrong is told with its place",
    arguments: [
      ("{", "FILE is not JSON: "),
      ("[]", "FILE:  must be an object, not an array"),
      (#"{"hook": []}"#, "FILE: /hook is not a field here; known are "),
      (#"{"threshold_secs": "30"}"#, "FILE: /threshold_secs must be a whole number from 0 to 86400"),
      (
        #"{"hooks": [{"kind": "webhook"}, {"name": "x", "kind": "fax"}]}"#,
        "FILE: /hooks/0/name is required; /hooks/0/url is required; "
          + #"/hooks/1/kind must be one of "webhook", "slack", "pagerduty", "email", "command""#
      ),
      (
        #"{"hooks": [{"name": "x", "kind": "webhook", "url": "https://example.com/", "timeout": 5}]}"#,
        "FILE: /hooks/0/timeout is not a field here; known are headers, method, previous_signing_secret, "
          + "signing_secret, timeout_secs, url, verify_ssl"
      ),
      (
        #"{"hooks": [{"name": "x", "kind": "command", "command": ["page"]}]}"#,
        #"FILE: /hooks/0/command must begin with the path of a program, such as "/usr/local/bin/page""#
      ),
      (
        #"{"hooks": [{"name": "x", "kind": "command", "command": ["/a"]}, {"name": "x", "kind": "command", "#
          + #""command": ["/a"]}]}"#,
        #"FILE: /hooks has the name "x" twice, the second time at 1"#
      ),
      (#"{"heartbeat_url": "hc-ping.com/secret"}"#, "FILE: /heartbeat_url must begin with http:// or https://"),
    ])
  func faults(content: String, told: String) throws {
    let error = #expect(throws: SettingsFile.Unusable.self) { try read(content).get() }
    #expect(error?.description.hasPrefix(told) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("secret/") != true)
  }

  @Test("A file that is named must be there; the default one need not")
  func missing() {
    #expect(throws: SettingsFile.Unusable.self) { try SettingsFile(path: "/nowhere/storage.json").read() }
    let error = #expect(throws: SettingsFile.Unusable.self) { try SettingsFile(path: "/nowhere/storage.json").read() }
    #expect(error?.description == "cannot open /nowhere/storage.json: No such file or directory")
  }
}
