import Foundation
import JSON
import TestSupport
import Testing

/// Each misbehaving receiver belongs to a tenant of its own, beside one that behaves; all of them at once on one instance.
@Suite("Receivers that misbehave")
struct MisbehaviourTests {
  private let receiver: HTTPReceiver
  private let addresses: AddressMisbehaviours
  private let mail: MailMisbehaviours
  private let cases: [Misbehaviour]

  init() throws {
    receiver = try HTTPReceiver()
    addresses = try AddressMisbehaviours(receiver: receiver)
    mail = MailMisbehaviours(authority: receiver.authority)
    let web = WebMisbehaviours(receiver: receiver)
    cases =
      try web.statuses() + web.requests() + web.slack() + web.slowness() + web.hangUps() + web.nonsense()
      + addresses.connections()
      + addresses.certificates() + addresses.forbidden() + mail.refusals() + mail.others() + mail.hangUps()
      + mail.strangers()
  }

  @Test(
    "Whatever a receiver does is in the ledger, is tried again when that helps, and costs no other receiver its alert")
  func all() async throws {
    let instance = try await Instance(settings: [
      "ALERTING_OUTBOUND_ALLOW": "127.0.0.1/32", "ALERTING_CA_FILE": receiver.authority.certificateFile,
    ])
    let jobs = try await instance.processes(of: "deliver")
    let healthy = receiver.plainURL + "/healthy"
    let accounts = try await withThrowingTaskGroup(of: (Misbehaviour, Account).self) { group in
      for misbehaviour in cases {
        group.addTask {
          (misbehaviour, try await Account(of: misbehaviour, beside: healthy, on: instance))
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(accounts.count == cases.count)
    for (misbehaviour, account) in accounts { check(account, of: misbehaviour) }
    #expect(try receiver.requests(to: "/elsewhere").isEmpty)
    #expect(try receiver.requests(to: "/latest/meta-data").isEmpty)
    #expect(try await instance.processes(of: "deliver") == jobs)
    let log = try instance.logs()
    #expect(!log.contains(Misbehaviour.secret))
    // The job would wait for those that hang.
    addresses.silence.stop()
    mail.stop()
    #expect(try await instance.stop().status == 0)
  }

  private func check(_ account: Account, of misbehaviour: Misbehaviour) {
    let name = Comment(rawValue: misbehaviour.name)
    #expect(account.outcome == misbehaviour.outcome, name)
    if let wanted = misbehaviour.next.seconds {
      #expect(account.wait.map { wanted.lowerBound...(wanted.upperBound + account.slack) ~= $0 } == true, name)
    } else {
      #expect(account.wait == nil, name)
    }
    #expect(account.healthyLatency < 5, name)
    #expect(!account.text.contains(Misbehaviour.secret), name)
  }
}
