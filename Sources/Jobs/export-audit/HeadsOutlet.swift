import Curl
import Delivery
import Host
import JSON
import Store

/// Sends the heads of the chains to a webhook, whose owner has anchors then that nobody here can change.
final class HeadsOutlet: AuditOutlet {
  private static let secondsBetweenLooks = 5.0
  private static let secondsToRetry = 60.0
  /// How long to wait for what is under way before looking again, in seconds.
  private static let shortPause = 0.1

  private let destination: HeadsDestination
  private let store: Store
  private let queue: TransferQueue<[AuditAnchor]>
  private var nextLook = 0.0
  /// Whether there were more heads than are told at once.
  private var isMore = false
  private(set) var warning: String?

  /// Throws if libcurl cannot be set up.
  init(to destination: HeadsDestination, of store: Store) throws(QueueFailure) {
    self.destination = destination
    self.store = store
    queue = try TransferQueue(addresses: .everywhere, authorities: Environment["ALERTING_CA_FILE"])
  }

  func proceed() throws -> Double {
    for (anchors, reply) in try queue.wait(seconds: 0) { try note(reply, to: anchors) }
    if queue.count == 0, Clock.monotonic >= nextLook { try tell() }
    return queue.count > 0 ? Self.shortPause : Exporter.usualPause
  }

  func rest() { warning = nil }

  private func tell() throws {
    nextLook = Clock.monotonic + Self.secondsBetweenLooks
    let anchors = try store.dueAnchors(seconds: isMore ? 0 : destination.seconds)
    isMore = anchors.count == Store.anchorsAtOnce
    if anchors.isEmpty { return }
    let attempt = Attempt(deliveryID: Identifier.make("heads-"), time: Clock.now)
    let body = HeadsEvent(time: Clock.rfc3339(attempt.time), anchors: anchors).json
    queue.add(.http(destination.webhook.transfer(of: body, attempt: attempt)), tag: anchors)
  }

  private func note(_ reply: Reply, to anchors: [AuditAnchor]) throws {
    switch destination.provider.verdict(on: reply, receivedAt: Clock.now) {
    case .sent:
      try store.noteAnchors(anchors)
      warning = nil
      nextLook = 0
    case .sentToSome(_, let reason), .retry(_, let reason), .rejected(let reason), .gone(let reason):
      Log.warning("the heads of the audit log were not told, and will be", ["reason": reason])
      warning = "the heads of the audit log were not told: \(reason)"
      nextLook = Clock.monotonic + Self.secondsToRetry
    }
  }
}

/// Where heads are sent.
struct HeadsDestination {
  let webhook: Webhook
  /// The same as what judges answers.
  let provider: Provider
  /// How long to wait after heads were told before others are, in seconds.
  let seconds: Int

  /// By the settings `ALERTING_AUDIT_HEADS_…`; nil where there is none. An anchor that anybody could have sent is none, so a secret
  /// has to be there.
  static func configured() throws(InvalidSetting) -> HeadsDestination? {
    guard let url = Environment["ALERTING_AUDIT_HEADS_URL"], !url.isEmpty else { return nil }
    let config: JSONValue = [
      "url": .string(url), "signing_secret": .string(Environment["ALERTING_AUDIT_HEADS_SECRET"] ?? ""),
    ]
    let seconds = try Environment.number(
      "ALERTING_AUDIT_HEADS_SECONDS", of: "seconds", in: 1...604_800, usual: 3600)
    do {
      let webhook = try Webhook(hook: config)
      let provider = Provider(name: "audit-heads", kind: .webhook(webhook), config: config)
      return HeadsDestination(webhook: webhook, provider: provider, seconds: seconds)
    } catch {
      let isOfURL = error.faults.contains { $0.pointer == "/url" }
      let name = isOfURL ? "ALERTING_AUDIT_HEADS_URL" : "ALERTING_AUDIT_HEADS_SECRET"
      throw InvalidSetting(name, error.faults.map(\.detail).joined(separator: "; "))
    }
  }
}

/// The body that the webhook gets.
private struct HeadsEvent: JSONWritable {
  let time: String
  let anchors: [AuditAnchor]

  func write(to writer: inout JSONWriter) {
    writer.object { event in
      event.add("type", "audit.heads")
      event.add("timestamp", time)
      event.add("data") { writer in
        writer.object { data in
          data.add("heads") { writer in
            writer.array(anchors) { anchor, writer in
              writer.object { head in
                head.add("tenant_id", anchor.tenant)
                head.add("seq", anchor.head.seq)
                head.add("hash", anchor.head.hash)
              }
            }
          }
        }
      }
    }
  }
}
