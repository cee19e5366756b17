import API
import FastCGI
import JSON
import Matching
import Store

/// What the sender of events is told.
struct Answer {
  /// The most alerts that are listed; the totals are always whole.
  static let listLimit = 1000

  private let intake: Intake
  private let alerts: [Admission]

  /// The answer for what was taken in and decided. Alerts are listed that were raised, now or, for a repeat, the first time.
  init(intake: Intake, admissions: [Admission]) {
    self.intake = intake
    alerts = admissions.filter { $0.decision == .raised }
  }

  var response: Response {
    let raised = alerts.count { !$0.isDuplicate }
    return .json { writer in
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
    answer.add("rejected") { list in
      list.array(intake.rejected) { rejected, writer in
        writer.object { members in
          members.add("index", rejected.index)
          members.add("detail", rejected.detail)
        }
      }
    }
    answer.add("rejected_total", intake.rejectedCount)
  }

  private func write(_ alert: Admission, to writer: inout JSONWriter) {
    writer.object { members in
      members.add("alert_id", alert.alertID)
      members.add("policy_id", intake.matches.matches[alert.match].key.policyID)
      members.add("severity", alert.severity.rawValue)
      members.add("title", alert.title)
      members.add("summary", alert.summary)
      members.add("delivery_results") { results in
        results.object { providers in
          for (providerID, state) in alert.deliveries { providers.add(providerID, state) }
        }
      }
      if alert.isDuplicate { members.add("duplicate", true) }
    }
  }
}
