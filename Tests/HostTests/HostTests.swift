import Glibc
import Host
import Testing

@Suite("What the machine gives a process") struct HostTests {
  @Test("A variable reads as it was set, and one that is not set as nil")
  func environment() {
    setenv("TOCSIN_HOST_TEST", "a=b c", 1)
    #expect(Environment["TOCSIN_HOST_TEST"] == "a=b c")
    setenv("TOCSIN_HOST_TEST", "", 1)
    #expect(Environment["TOCSIN_HOST_TEST"] == "")
    unsetenv("TOCSIN_HOST_TEST")
    #expect(Environment["TOCSIN_HOST_TEST"] == nil)
  }

  @Test("The state directory that is not named, or is named by nothing, is that of the installation")
  func stateDirectory() {
    let name = "ALERTING_STATE_DIRECTORY"
    defer { unsetenv(name) }
    unsetenv(name)
    #expect(Environment.stateDirectory == "/var/lib/tocsin")
    for (text, directory) in [("", "/var/lib/tocsin"), ("/srv/state", "/srv/state")] {
      setenv(name, text, 1)
      #expect(Environment.stateDirectory == directory)
    }
  }

  @Test("A setting is a number in its bounds, the usual one where it says nothing, and else told in a sentence")
  func numbers() throws {
    let name = "TOCSIN_HOST_TEST_SECONDS"
    defer { unsetenv(name) }
    func seconds(_ text: String) throws -> Double? {
      setenv(name, text, 1)
      return try Environment.jobSeconds(name)
    }
    #expect(try Environment.jobSeconds(name) == 55)
    #expect(try seconds("") == 55)
    #expect(try seconds("86400") == 86_400)
    #expect(try seconds("0") == nil)
    for text in ["soon", "-1", "86401", "5 ", "1.5"] {
      let told = InvalidSetting(name, "\"\(text)\" is no whole number of seconds from 0 to 86400")
      #expect(throws: told) { try seconds(text) }
    }
  }

  @Test(
    "Times are written by RFC 3339",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_740_812_709, "2025-03-01T07:05:09Z"),
      (4_102_444_799, "2099-12-31T23:59:59Z"),
    ])
  func times(seconds: Int, text: String) {
    #expect(Clock.rfc3339(seconds) == text)
  }

  @Test("The wall clock agrees with itself, and the monotonic one does not go back")
  func clocks() {
    let before = Clock.monotonic
    #expect(abs(Clock.now - Clock.milliseconds / 1000) <= 1)
    #expect(Clock.monotonic >= before)
  }

  @Test("A log line cannot be forged by what is logged")
  func logLine() {
    let line = Log.line(
      time: 0, program: "policies", level: "error", message: "no\nsuch",
      fields: ["detail": "a \"b\" \\ c\u{1B}[31m\r\u{2028}é", "turned": "\u{9B}1m\u{7F}\u{202E}x\u{2066}\u{AD}"])
    #expect(
      line
        == #"1970-01-01T00:00:00Z policies error: no\nsuch detail="a \"b\" \\ c\u{1b}[31m\r\u{2028}é""#
        + #" turned="\u{9b}1m\u{7f}\u{202e}x\u{2066}\u{ad}""#)
  }

  @Test("A UUIDv7 carries its time, its version and its variant")
  func uuidBits() {
    // The example of RFC 9562, appendix A.6.
    let text = Identifier.uuid(milliseconds: 0x017F_22E2_79B0, random: (0xCC3, 0x18C4_DC0C_0C07_398F))
    #expect(text == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
  }

  @Test("Identifiers differ from each other and sort by the time they were made")
  func identifiers() {
    let made = (0..<10_000).map { _ in Identifier.make("alert-") }
    #expect(Set(made).count == made.count)
    #expect(made.allSatisfy { $0.utf8.count == 42 && $0.hasPrefix("alert-") })
    let times = made.map { $0.prefix(19) }
    #expect(times == times.sorted())
  }

  @Test("A file is read whole, and one that is missing or too long says so")
  func files() throws {
    var path = Array("/tmp/tocsin-host-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    try #require(descriptor >= 0)
    let name = String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { unlink(name) }
    let content = [UInt8](repeating: 7, count: 100_000)
    #expect(write(descriptor, content, content.count) == content.count)
    close(descriptor)
    #expect(try File.read(name) == content)
    #expect(throws: SystemError("read \(name)", code: EFBIG)) { try File.read(name, limit: 99_999) }
    let missing = #expect(throws: SystemError.self) { try File.read("/nowhere/at-all") }
    #expect(missing?.description == "cannot open /nowhere/at-all: No such file or directory")
  }

  @Test("A signal to end is held back until it is asked about, and is then known for good")
  func termination() {
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let termination = Termination()
    let start = Clock.monotonic
    #expect(!termination.isRequested)
    #expect(!termination.isRequested(within: 0.05))
    #expect(Clock.monotonic - start >= 0.05)
    pthread_kill(pthread_self(), SIGTERM)
    #expect(termination.isRequested(within: 60))
    #expect(termination.isRequested)
    #expect(Clock.monotonic - start < 30)
  }
}
