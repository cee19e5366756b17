import Delivery
import Glibc
import Host
import StorageWatch
import TestSupport
import Testing

@testable import Hooks

@Suite("Errands, many at once") struct ErrandTests {
  private func reply(to command: Command) throws -> CommandReply? {
    let runner = try ErrandRunner<Int>()
    runner.begin(.command(command), tag: 7)
    guard let ended = try runner.wait(seconds: 30).first, ended.tag == 7, case .command(let reply) = ended.reply else {
      return nil
    }
    return reply
  }

  private func shell(_ script: String, input: String = "", timeout: Int = 20) -> Command {
    Command(
      program: "/bin/sh", arguments: ["sh", "-c", script], environment: ["A=b c"], input: Array(input.utf8),
      timeoutSeconds: timeout)
  }

  @Test("A program gets its arguments, its input and nothing but its environment")
  func command() throws {
    #expect(
      try reply(to: shell("read line; echo \"$line|$A|$HOME|$0\"; exit 3", input: "one two\n"))
        == CommandReply(.exit(3), output: Array("one two|b c||sh\n".utf8)))
    let echo = Command(program: "/bin/echo", arguments: ["echo", "$A; *"], environment: [], timeoutSeconds: 5)
    #expect(try reply(to: echo) == CommandReply(.exit(0), output: Array("$A; *\n".utf8)))
  }

  @Test("How a program ended is known: by a signal, or not begun at all")
  func endings() throws {
    #expect(try reply(to: shell("kill -9 $$"))?.ending == .signal(9))
    let missing = Command(program: "/nowhere/page", arguments: ["page"], environment: [], timeoutSeconds: 5)
    #expect(
      try reply(to: missing)?.ending == .refused("cannot start /nowhere/page: No such file or directory"))
  }

  @Test("A program that hangs is killed with what it has started, and what it said is kept")
  func timeout() throws {
    let start = Clock.monotonic
    let reply = try reply(to: shell("echo begun; sleep 987 & echo $!; wait", timeout: 1))
    #expect(reply?.ending == .timeout)
    #expect(Clock.monotonic - start < 10)
    let words = String(decoding: reply?.output ?? [], as: UTF8.self).split(separator: "\n")
    #expect(words.first == "begun")
    let child = try #require(words.last.flatMap { pid_t($0) })
    #expect(poll(within: 10) { kill(child, 0) != 0 || isZombie(child) })
  }

  /// What has ended is listed until process 1 takes note of it.
  private func isZombie(_ pid: pid_t) -> Bool {
    do {
      return String(decoding: try File.read("/proc/\(pid)/stat"), as: UTF8.self).contains(") Z ")
    } catch {
      return true
    }
  }

  @Test("A program that writes without end does not stop, and the beginning is kept")
  func flood() throws {
    let reply = try reply(to: shell("head -c 1000000 /dev/zero"))
    #expect(reply?.ending == .exit(0))
    #expect(reply?.output.count == CommandReply.outputLimit)
  }

  @Test("Signals that the process blocks or ignores end a program all the same, and it inherits no open file")
  func inheritance() throws {
    let termination = Termination()
    defer { withExtendedLifetime(termination) {} }
    let open = open("/dev/null", O_RDONLY)
    defer { close(open) }
    #expect(try reply(to: shell("kill -TERM $$; echo still here"))?.ending == .signal(Int(SIGTERM)))
    let listing = try reply(to: shell("for file in /proc/$$/fd/*; do /bin/readlink $file; done"))
    let files = String(decoding: listing?.output ?? [], as: UTF8.self).split(separator: "\n")
    #expect(files.contains { $0.hasPrefix("pipe:") } && !files.contains("/dev/null"))
  }

  @Test("One that hangs does not hold the others")
  func manyAtOnce() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/hang", with: .init(ending: .hang))
    let runner = try ErrandRunner<String>()
    runner.begin(.command(shell("sleep 987", timeout: 60)), tag: "sleeping")
    runner.begin(.transfer(.http(HTTPTransfer(url: receiver.plainURL + "/hang"))), tag: "hanging")
    runner.begin(.transfer(.http(HTTPTransfer(url: receiver.plainURL + "/hook"))), tag: "request")
    runner.begin(.command(shell("exit 0")), tag: "command")
    var ended: Set<String> = []
    let start = Clock.monotonic
    while ended.count < 2, Clock.monotonic - start < 20 { ended.formUnion(try runner.wait(seconds: 1).map(\.tag)) }
    #expect(ended == ["request", "command"])
    #expect(runner.count == 2)
  }
}
