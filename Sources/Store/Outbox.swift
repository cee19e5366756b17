import Delivery
import Host
import JSON
import Matching
import Postgres

/// What is known of a provider for which deliveries wait.
package struct WaitingProvider: Sendable, Equatable {
  /// The provider.
  package let key: ProviderKey
  /// Whether it is there and switched on.
  package let isEnabled: Bool
  /// Whether any of its deliveries may be leased now.
  package let isDue: Bool
}

/// A delivery that is due, by its id.
package struct DueDelivery: Sendable, Equatable {
  /// The provider that it goes to.
  package let provider: ProviderKey
  /// Its id.
  package let id: String
}

extension Store {
  /// The providers for which deliveries wait, in an order of their own: those behind one of them (nil: from the first), and no
  /// more than `limit`. It costs as much for a provider with a million deliveries as for one with a single delivery.
  package func dueProviders(after last: ProviderKey?, limit: Int) throws(PostgresError) -> [WaitingProvider] {
    try write(
      Self.dueProvidersStatement, .text(last?.providerID ?? ""), .text(last?.tenant ?? ""), .int(limit)
    ).map { row in
      WaitingProvider(
        key: ProviderKey(tenant: row.text(0), providerID: row.text(1)), isEnabled: row.bool(2), isDue: row.bool(3))
    }
  }

  /// Takes deliveries that are due, of each provider those that wait longest first and no more than it has room for. For the
  /// seconds of the lease they are this process's alone; one that is not settled by then is due again, as its next attempt, and
  /// the one that was lost is written down as `unknown`.
  ///
  /// A provider whose breaker is open gets nothing, and one whose breaker may close gets one delivery, as a probe. A provider
  /// of a type with a pace gets no more than that allows. What is due at the epoch, as a test is, goes all the same, even if
  /// the provider is switched off.
  package func leaseDeliveries(of rooms: [ProviderRoom], seconds: Int) throws(PostgresError) -> [LeasedDelivery] {
    try lease(rooms, seconds, only: nil)
  }

  /// Takes one delivery, if it is still due and its provider has room; nil if not.
  package func leaseDelivery(_ delivery: DueDelivery, seconds: Int) throws(PostgresError) -> LeasedDelivery? {
    try lease([ProviderRoom(provider: delivery.provider, room: 1)], seconds, only: delivery.id).first
  }

  private func lease(
    _ rooms: [ProviderRoom], _ seconds: Int, only delivery: String?
  ) throws(PostgresError) -> [LeasedDelivery] {
    let paces = ProviderType.allCases.compactMap { type in type.pace.map { (type.rawValue, $0) } }
    let rows = try write(
      Self.lease,
      .texts(rooms.map(\.provider.tenant)),
      .texts(rooms.map(\.provider.providerID)),
      .ints(rooms.map(\.room)),
      .int(seconds),
      .texts(paces.map(\.0)),
      .ints(paces.map(\.1.milliseconds)),
      .ints(paces.map(\.1.burst)),
      .text(delivery))
    var documents = LeasedDocuments()
    return rows.map { LeasedDelivery(row: $0, documents: &documents, store: self) }
  }

  /// Has one more message counted that a provider gets within an attempt, and answers in how many seconds it may be sent, by the pace
  /// of the provider's type. Nil, and nothing counted, if the type has none or it may not be sent so soon as within `seconds`.
  package func reserveTurn(
    of provider: ProviderKey, _ type: ProviderType, within seconds: Int
  ) throws(PostgresError) -> Double? {
    guard let pace = type.pace else { return nil }
    return try write(
      Self.turn, .text(provider.tenant), .text(provider.providerID), .int(pace.milliseconds), .int(pace.burst),
      .int(seconds)
    ).first.map { Double($0.int(0)) / 1000 }
  }

  /// Writes down what became of attempts, and tells of how many. A delivery that is not under the lease of its attempt any more
  /// is left as it is.
  ///
  /// In the same transaction it notes how each receiver is doing: whether its breaker opens or closes, until when it wants to be
  /// left alone and whether it is gone, which switches the provider off; and it raises an alert for the tenant's other
  /// providers about the first delivery of an outage that is lost.
  @discardableResult
  package func settleDeliveries(_ settlements: [Settlement]) throws(PostgresError) -> Int {
    let now = Clock.monotonic
    let parameters: [Parameter] = [
      .texts(settlements.map(\.tenant)),
      .texts(settlements.map(\.deliveryID)),
      .texts(settlements.map(\.leaseToken)),
      .texts(settlements.map(\.outcome.state)),
      .ints(settlements.map(\.outcome.milliseconds)),
      .texts(settlements.map { $0.status.map { String($0) } }),
      .texts(settlements.map { $0.outcome.remark?.withoutNUL }),
      .texts(settlements.map(\.outcome.recipients)),
      .texts(settlements.map(\.outcome.verdict)),
      .texts(settlements.map { $0.answer?.withoutNUL }),
      .ints(settlements.map { Int((now - $0.startedAt) * 1000) }),
      .ints(settlements.map { Int((now - $0.endedAt) * 1000) }),
      .texts(settlements.map(\.receiver.rawValue)),
      .bools(settlements.map(\.isProbe)),
      .texts(settlements.map { $0.pauseSeconds.map { String($0 * 1000) } }),
      .bools(settlements.map(\.outcome.isGone)),
      .texts(settlements.map { $0.outcome.isLost ? Identifier.make("alert-") : nil }),
    ]
    // Only a provider that is switched off is a matter of the audit log.
    let isChange = settlements.contains(where: \.outcome.isGone)
    let rows = try connected().run(Self.settle, parameters, after: isChange ? openingOfChange : opening)
    return rows.first?.int(0) ?? 0
  }

  /// A connection of its own that hears of every alert that is raised; nil behind a pooler in transaction mode, where nobody can
  /// listen.
  package func deliveryBell() throws(PostgresError) -> Connection? {
    guard prepares else { return nil }
    let connection = try freshConnection()
    try connection.listen(to: "tocsin_deliveries")
    return connection
  }
}

/// What several deliveries of one lease have in common and comes with the first of them alone.
private struct LeasedDocuments {
  private var providers: [ProviderKey: Result<Provider, UnusableProvider>] = [:]
  private var policyNames: [ProviderKey: String] = [:]

  mutating func provider(_ row: Row, in store: Store) -> Result<Provider, UnusableProvider> {
    let key = ProviderKey(tenant: row.text(1), providerID: row.text(5))
    if let provider = providers[key] { return provider }
    let provider = Result { () throws(UnusableProvider) in try Self.read(row.document(6), of: key, in: store) }
    providers[key] = provider
    return provider
  }

  private static func read(
    _ stored: JSONObject, of key: ProviderKey, in store: Store
  ) throws(UnusableProvider) -> Provider {
    let document: JSONObject
    do throws(SealFault) {
      document = try store.opened(stored, of: key)
    } catch {
      throw .sealed(error)
    }
    do throws(JSONFaults) {
      return try Provider(json: .object(document))
    } catch {
      throw .invalid(error)
    }
  }

  /// The name is read here: PostgreSQL's ->> refuses a document with U+0000 anywhere in it, and with it the whole lease.
  mutating func policyName(_ row: Row) -> String {
    let id = row.text(9)
    let key = ProviderKey(tenant: row.text(1), providerID: id)
    if let name = policyNames[key] { return name }
    let name = row.isNull(10) ? nil : row.document(10)["name"]?.string
    policyNames[key] = name ?? id
    return name ?? id
  }
}

extension LeasedDelivery {
  /// A delivery as the lease's statement answers it.
  fileprivate init(row: Row, documents: inout LeasedDocuments, store: Store) {
    guard let severity = Severity(rawValue: row.text(11)), let event = DeliveryEvent(rawValue: row.text(19)) else {
      preconditionFailure("the tables' CHECK constraints and the enums disagree")
    }
    let notice = AlertNotice(
      Occasion(event, row), tenant: row.text(1), alertID: row.text(8), policyID: row.text(9),
      policyName: documents.policyName(row),
      severity: severity, title: row.text(12), message: row.text(13), summary: row.text(14), triggeredAt: row.text(15),
      event: JSONText(row.bytes(16)), deduplicationKey: row.text(17))
    self.init(
      tenant: row.text(1), id: row.text(0), leaseToken: row.text(2), attempt: row.int(3),
      scheduledAttempt: row.int(18), age: row.int(4), event: event, providerID: row.text(5),
      provider: documents.provider(row, in: store), notice: notice, recipients: row.isNull(7) ? nil : row.texts(7),
      isProbe: row.bool(20), skipReason: row.textOrNil(21))
  }
}

extension Occasion {
  fileprivate init(_ event: DeliveryEvent, _ row: Row) {
    switch event {
    case .triggered: self = .triggered
    case .acknowledged: self = .acknowledged(Sequel(row))
    case .resolved: self = .resolved(Sequel(row))
    case .digest: self = .digest(HeldBack(row))
    case .test: self = .test
    }
  }
}

extension HeldBack {
  fileprivate init(_ row: Row) {
    do {
      try self.init(json: .object(row.document(25)), firstDeliveryID: row.bool(26) ? row.text(24) : nil)
    } catch {
      preconditionFailure("a stored digest is none: \(error)")
    }
  }
}

extension Occasion.Sequel {
  fileprivate init(_ row: Row) {
    self.init(time: row.text(22), actor: row.text(23), firstDeliveryID: row.text(24))
  }
}

extension Outcome {
  /// The delivery's `state`.
  var state: String {
    switch self {
    case .sent: "sent"
    case .waiting: "pending"
    case .rejected, .gone: "failed"
    case .dead: "dead"
    case .skipped: "skipped"
    }
  }

  /// The attempt's `verdict`; nil where nothing was tried.
  fileprivate var verdict: String? {
    switch self {
    case .sent: "sent"
    case .waiting, .dead: "retry"
    case .rejected, .gone: "rejected"
    case .skipped: nil
    }
  }

  /// How long the next attempt has to wait; 0 where there is none.
  fileprivate var milliseconds: Int {
    if case .waiting(let milliseconds, _, _) = self { milliseconds } else { 0 }
  }

  /// What is worth knowing about the attempt.
  fileprivate var remark: String? {
    switch self {
    case .sent(let remark): remark
    case .waiting(_, let reason, _), .rejected(let reason), .gone(let reason), .dead(let reason), .skipped(let reason):
      reason
    }
  }

  /// The recipients that are left, as a JSON array; nil for no change.
  fileprivate var recipients: String? {
    guard case .waiting(_, _, let recipients?) = self else { return nil }
    return String(decoding: recipients.json, as: UTF8.self)
  }

  /// Whether the receiver is gone for good.
  fileprivate var isGone: Bool { if case .gone = self { true } else { false } }

  /// Whether nobody will get the delivery.
  fileprivate var isLost: Bool {
    switch self {
    case .rejected, .gone, .dead: true
    case .sent, .waiting, .skipped: false
    }
  }
}

extension String {
  /// The text as PostgreSQL can hold it.
  fileprivate var withoutNUL: String {
    utf8.contains(0) ? String(UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 })) : self
  }
}
