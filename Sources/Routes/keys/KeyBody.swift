import API
import JSON
import Matching
import Store

/// What a client says about a key.
enum KeyBody {
  /// What a new key is to be.
  static func draft(of document: JSONValue) throws(JSONFaults) -> KeyDraft {
    var reader = try ObjectReader(document)
    let name = reader.requiredString("name")
    if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      reader.fault("name", "must not have control characters")
    }
    reader.require("role")
    let role = reader.choice("role", of: Role.self)
    let expiresAt = reader.timestamp("expires_at")
    let networks = reader.elements("allowed_cidrs", count: 0...100, network) ?? []
    try reader.finish()
    guard let role else { throw JSONFaults(pointer: "/role", "is required") }
    return KeyDraft(name: name, role: role, expiresAt: expiresAt, allowedCIDRs: networks)
  }

  private static func network(_ value: JSONValue) throws(JSONFaults) -> String {
    guard let text = value.string, Network(text) != nil else {
      throw JSONFaults("must be a network in CIDR form such as \"203.0.113.0/24\", or an address")
    }
    return text
  }

  /// How a key is to be rotated; a call without content leaves it to the service. The caller's own key goes on working for a
  /// while, or a lost answer would lock the caller out.
  static func rotation(of call: Call, isOwnKey: Bool) throws -> KeyRotation {
    let bytes = try call.body(of: [Call.json]).rest()
    var reader = try ObjectReader(bytes.isEmpty ? .object(JSONObject()) : JSONValue(parsing: bytes))
    let shortest = isOwnKey ? 60 : 0
    let overlap = reader.integer("overlap_seconds", in: shortest...KeyRotation.longestOverlap) ?? 86_400
    let expiresAt = reader.timestamp("expires_at")
    try reader.finish()
    return KeyRotation(overlapSeconds: overlap, expiresAt: expiresAt)
  }
}
