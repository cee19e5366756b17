import Host
import Testing

@testable import StorageWatch

@Suite("What a probe says") struct ProbeReportTests {
  private func report(_ ending: CommandReply.Ending, _ lines: [UInt8]...) -> ProbeReport {
    ProbeReport(CommandReply(ending, output: lines.flatMap { $0 }), timeoutSeconds: 5)
  }

  @Test("What it wrote is read back")
  func lines() {
    let warning = StorageWarning("the disk of /x", "has 3 % left")
    #expect(report(.exit(0), ProbeReport.line(.usable), ProbeReport.line([warning])).result == .usable)
    #expect(report(.exit(0), ProbeReport.line(.usable), ProbeReport.line([warning])).warnings == [warning])
    #expect(report(.exit(0), ProbeReport.line(.failed("a \"b\""))).result == .failed("a \"b\""))
    #expect(report(.exit(0), Array("not JSON\n".utf8), ProbeReport.line(.usable)).result == .usable)
  }

  @Test("One that said nothing failed, and why is what ended it")
  func silence() {
    #expect(report(.timeout).result == .failed("no answer within 5 s"))
    #expect(report(.signal(11)).result == .failed("the probe was ended by signal 11"))
    #expect(report(.exit(1)).result == .failed("the probe ended with status 1"))
    #expect(report(.refused("cannot start x")).result == .failed("cannot start x"))
  }

  @Test("A storage that works is no outage because the look at it hangs, but that is told")
  func blindness() {
    let report = report(.timeout, ProbeReport.line(.usable))
    #expect(report.result == .usable)
    #expect(report.warnings == [StorageWarning("a look at the storage", "failed")])
  }
}
