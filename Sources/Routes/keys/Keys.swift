import API
import FastCGI
import JSON
import Store

/// The keys of the tenant that the caller's key belongs to.
@main
struct Keys {
  static let noun = Noun("key", plural: "keys")

  static func main() {
    Route(
      noun.plural,
      [
        .get("", list),
        .post("", create),
        .get("{key_id}", show),
        .delete("{key_id}", revoke),
        .post("{key_id}/rotate", rotate),
      ]
    ).run()
  }

  static func list(_ call: Call) throws -> Response {
    let page = try call.query.page()
    let keys = try call.store.keys(tenant: call.tenant, status: call.query.choice("status"), page: page)
    return .list(noun.plural, keys, page: page) { key, writer in writer.object { key.add(to: &$0) } }
  }

  static func create(_ call: Call) throws -> Response {
    let draft = try KeyBody.draft(of: call.document())
    let key = KeyForm.make()
    let stored = try refusing {
      try call.store.createKey(key, tenant: call.tenant, draft, by: call.caller.keyID)
    }
    return handedOut(key, as: stored) { _ in }
  }

  static func show(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    guard let key = try call.store.key(tenant: call.tenant, id: id) else {
      throw Problem.notFound(noun.singular, id: id)
    }
    return .json { $0.object { key.add(to: &$0) } }
  }

  /// A key does not revoke itself: the last one that could make another would be gone by a slip.
  static func revoke(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    guard id != call.caller.keyID else {
      throw Problem.conflict(
        "This is the key that the call is made with; revoke it with another one of the role admin, or rotate it.")
    }
    guard try call.store.revokeKey(id: id, tenant: call.tenant) else { throw Problem.notFound(noun.singular, id: id) }
    return .noContent
  }

  static func rotate(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    let rotation = try KeyBody.rotation(of: call, isOwnKey: id == call.caller.keyID)
    let key = KeyForm.make()
    let outcome = try refusing {
      try call.store.rotateKey(id: id, tenant: call.tenant, to: key, rotation, by: call.caller.keyID)
    }
    switch outcome {
    case .rotated(let new, let old):
      return handedOut(key, as: new) { $0.add("predecessor") { $0.object { old.add(to: &$0) } } }
    case .ended(let old):
      if let successor = old.successorID {
        throw Problem.conflict("The key has been replaced by \"\(successor)\"; rotate that.")
      }
      throw Problem.conflict("The key does not work any more (\(old.status.rawValue)); create a new one.")
    case .absent:
      throw Problem.notFound(noun.singular, id: id)
    }
  }

  /// 201 with a new key, which is shown here and never again.
  private static func handedOut(
    _ key: String, as stored: Key, _ addMore: (inout JSONWriter.Members) -> Void
  ) -> Response {
    .created(noun.plural, id: stored.id, headers: [("Cache-Control", "no-store")]) { writer in
      writer.object { members in
        members.add("key", key)
        stored.add(to: &members)
        addMore(&members)
      }
    }
  }

  private static func refusing<Outcome>(_ body: () throws -> Outcome) throws -> Outcome {
    do {
      return try body()
    } catch KeyError.endsTooEarly {
      throw JSONFaults(pointer: "/expires_at", "must be later than now")
    } catch KeyError.tooMany {
      throw Problem.tooMany("keys that work", limit: TenantLimit.keys)
    }
  }
}
