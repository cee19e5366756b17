import API
import FastCGI
import Host
import JSON
import Matching
import Store

/// What the sender of events is told.
struct Answer {
  /// The most alerts that are listed; the totals are always whole.
  static let listLimit = 1000

  /// The most seconds that a client may have its answer wait for the deliveries.
  static let waitLimit = 30

  private let intake: Intake
  private let alerts: [Admission]
  /// How long the answer was to wait for the deliveries; nil if it was not.
  private var wait: Int?
  /// What became of the deliveries meanwhile, by alert.
  private var deliveries: [String: [(providerID: String, state: String)]] = [:]

  /// The answer for what was taken in and decided. Alerts are listed that were raised, now or, for a repeat, the first time.
  init(intake: Intake, admissions: [Admission]) {
    self.intake = intake
    alerts = admissions.filter { $0.decision == .raised }
  }

  /// Waits until the deliveries of the listed alerts are settled, for as long as the client prefers that to a quick answer.
  ///
  /// What was admitted stays admitted: where the database goes away meanwhile, the answer has the states from before.
  mutating func waitForDeliveries(_ call: Call) {
    guard let wait = call.preferredWait.map({ min($0, Self.waitLimit) }) else { return }
    self.wait = wait
    let pending = alerts.prefix(Self.listLimit).filter { $0.deliveries.contains { $0.state == "pending" } }
    let alertIDs = Array(Set(pending.compactMap(\.alertID)))
    if alertIDs.isEmpty || wait == 0 { return }
    do {
      _ = try call.wait(seconds: Double(wait)) {
        try call.store.hasPendingDeliveries(tenant: call.tenant, alertIDs: alertIDs) ? nil : true
      }
      deliveries = try call.store.deliveryStates(tenant: call.tenant, alertIDs: alertIDs)
    } catch {
      Log.warning("an answer does not say what became of its deliveries", ["error": "\(error)"])
    }
  }

  var response: Response {
    isUsual ? Self.usual : written
  }

  /// Whether it is what nearly all senders are told: one event, and no alert.
  private var isUsual: Bool { alerts.isEmpty && !intake.isBatch && wait == nil }

  private static let usual = Answer(intake: Intake { "" }, admissions: []).written

  private var written: Response {
    let raised = alerts.count { !$0.isDuplicate }
    return .json(headers: wait.map { [("Preference-Applied", "wait=\($0)")] } ?? []) { writer in
      writer.object { answer in
        answer.add("success", true)
        answer.add("message", "Event processed, \(raised) alerts triggered")
        answer.add("triggered_alerts") { $0.array(alerts.prefix(Self.listLimit), write) }
        if intake.isBatch { addTotals(to: &answer) }
      }
    }
  }

  private func addTotals(to answer: inout JSONWriter.Members) {
    answer.add("triggered_total", alerts.count)
    answer.add("received", intake.received)
    answer.add("matched", intake.matched)
    answer.addRejected(of: intake)
  }

  private func write(_ alert: Admission, to writer: inout JSONWriter) {
    writer.object { members in
      members.add("alert_id", alert.alertID)
      members.add("policy_id", alert.policyID)
      members.add("severity", alert.severity.rawValue)
      members.add("title", alert.title)
      members.add("summary", alert.summary)
      members.add("delivery_results") { results in
        results.object { providers in
          let deliveries = alert.alertID.flatMap { self.deliveries[$0] } ?? alert.deliveries
          for (providerID, state) in deliveries { providers.add(providerID, state) }
        }
      }
      if alert.isDuplicate { members.add("duplicate", true) }
    }
  }
}

/// What the sender of events is told that are kept until the database is back.
struct SpooledAnswer {
  /// Where they are, for an operator to find.
  let id: String
  let intake: Intake

  var response: Response {
    .json(.accepted) { writer in
      writer.object { answer in
        answer.add("success", true)
        answer.add("message", "Events kept, to be processed as of now when the database is back")
        answer.add("spooled", true)
        answer.add("spool_id", id)
        guard intake.isBatch else { return }
        answer.add("received", intake.received)
        answer.addRejected(of: intake)
      }
    }
  }
}

extension JSONWriter.Members {
  /// Which events of a batch were not taken in, and why.
  fileprivate mutating func addRejected(of intake: Intake) {
    add("rejected") { list in
      list.array(intake.rejected) { rejected, writer in
        writer.object { members in
          members.add("index", rejected.index)
          members.add("detail", rejected.detail)
        }
      }
    }
    add("rejected_total", intake.rejectedCount)
  }
}
