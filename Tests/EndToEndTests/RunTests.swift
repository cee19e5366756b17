import Foundation
import TestSupport
import Testing

@Suite("deploy/run")
struct RunTests {
  @Test("Run twice it does not start twice, two instances live side by side, and a stop leaves nothing")
  func instances() async throws {
    let (first, second) = try await (Instance(), Instance())
    let again = try await Instance.run(["--detach", "--state", first.state])
    #expect(again.status == 0)
    #expect(again.errors.contains("already running"))
    #expect(again.output.contains("http://127.0.0.1:\(first.port)") && again.output.contains(first.key))

    #expect(first.key != second.key)
    #expect(try await first.send("/api/v1/alerts/policies", key: first.key).status == 200)
    #expect(try await second.send("/api/v1/alerts/policies", key: first.key).status == 401)

    #expect(try await first.stop().status == 0)
    #expect(try await Command.run("pgrep", ["-f", first.state]).output == "")
    #expect(try await second.send("/health").status == 200)
    #expect(try await second.stop().status == 0)
    #expect(try await Command.run("pgrep", ["-f", second.state]).output == "")
  }

  @Test("What was kept is there after a stop, and a chosen key works")
  func restart() async throws {
    let state = Instance.newState()
    let first = try await Instance(state: state, settings: ["ALERTING_API_KEY": "chosen-by-the-operator"])
    #expect(first.key == "chosen-by-the-operator")
    let other = try await first.makeKey(tenant: "kept", role: "viewer")
    #expect(try await Instance.run(["--stop", "--state", state]).status == 0)

    let second = try await Instance(state: state)
    #expect(second.key == first.key)
    for key in [first.key, other] {
      #expect(try await second.send("/api/v1/alerts/policies", key: key).status == 200)
    }
    #expect(try await second.stop().status == 0)
  }

  @Test("A database that is there already is used instead of a private one")
  func existingDatabase() async throws {
    let database = try TestDatabase(isEmpty: true)
    let instance = try await Instance(settings: ["ALERTING_DATABASE_URL": database.url])
    #expect(!FileManager.default.fileExists(atPath: instance.state + "/postgres"))
    #expect(try await instance.send("/api/v1/alerts/policies", key: instance.key).status == 200)
    #expect(try database.texts("SELECT concat_ws(' ', tenant_id, role, name) FROM api_keys") == ["default admin first"])
    #expect(try await instance.stop().status == 0)
  }

  @Test("A port in use is one clear sentence, and nothing is left")
  func portInUse() async throws {
    let port = try await Instance.shared.port
    let state = Instance.newState()
    let run = try await Instance.run(["--detach", "--port", "\(port)", "--state", state])
    #expect(run.status == 1)
    #expect(
      run.errors == "run: cannot listen on 127.0.0.1:\(port): address already in use; choose another with --port\n")
    #expect(!FileManager.default.fileExists(atPath: state))
  }

  @Test("A database that cannot be reached ends the start, and nothing is left running")
  func unreachableDatabase() async throws {
    let state = Instance.newState()
    let run = try await Instance.run(
      ["--detach", "--port", "\(Instance.freePort())", "--state", state],
      settings: ["ALERTING_DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:1/none"])
    #expect(run.status == 1)
    #expect(run.errors.contains("the database is unreachable"))
    #expect(!run.errors.contains("secret"))
    #expect(try await Command.run("pgrep", ["-f", state]).output == "")
    try FileManager.default.removeItem(atPath: state)
  }

  @Test(
    "What cannot be is refused before anything is done",
    arguments: [
      ["--port", "99999"], ["--port", "http"], ["--nothing"], ["--state"], ["--state", "/tmp/with a blank"],
    ])
  func impossibleOptions(arguments: [String]) async throws {
    let state = Instance.newState()
    let run = try await Instance.run(["--state", state] + arguments)
    #expect(run.status == 1)
    #expect(run.errors.split(separator: "\n").count == 1)
    #expect(run.output == "")
    #expect(!FileManager.default.fileExists(atPath: state))
  }

  @Test("Without a toolchain there is one clear sentence")
  func noToolchain() async throws {
    let run = try await Command.run(
      "deploy/run", ["--port", "\(Instance.freePort())", "--state", Instance.newState()],
      settings: ["PATH": "/usr/bin:/bin"])
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("run: no Swift toolchain") && run.errors.split(separator: "\n").count == 1)
  }
}
