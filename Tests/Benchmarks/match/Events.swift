import Foundation
import JSON

/// The two kinds of events.
enum EventKind: String, CaseIterable {
  /// Made here: 260 bytes on average.
  case small
  /// Real ones of AWS CloudTrail, 1,300 to 1,700 bytes long.
  case cloudtrail

  /// Where an event has what policies ask of.
  func path(to place: Events.Place) -> String {
    switch (self, place) {
    case (.small, .kind): "type"
    case (.small, .actor): "user.name"
    case (.small, .role): "user.role"
    case (.small, .address): "source_ip"
    case (.small, .size): "bytes"
    case (.small, .path): "path"
    case (.small, .text): "message"
    case (.cloudtrail, .kind): "eventName"
    case (.cloudtrail, .actor): "userIdentity.userName"
    case (.cloudtrail, .role): "userIdentity.type"
    case (.cloudtrail, .address): "sourceIPAddress"
    case (.cloudtrail, .size): "additionalEventData.bytesTransferredOut"
    case (.cloudtrail, .path): "userIdentity.arn"
    case (.cloudtrail, .text): "userAgent"
    }
  }
}

/// Distinct events, and policies' values taken from what they say.
struct Events {
  enum Place: CaseIterable {
    case kind, actor, role, address, size, path, text
  }

  /// What only one policy asks for. Texts begin as those of events do, so that they are told apart late.
  struct Rare {
    let code, actor, path, text, address, network: String
  }

  let kind: EventKind
  let documents: [JSONValue]
  /// The distinct strings that the events have at each place.
  private let vocabulary: [Place: [String]]

  init(_ kind: EventKind, data: URL) throws {
    self.kind = kind
    documents =
      switch kind {
      case .small: (0..<2048).map(Self.small)
      case .cloudtrail:
        try Self.cloudTrail(data).filter { (1300...1700).contains($0.count) }.map(JSONValue.init(parsing:))
      }
    var vocabulary: [Place: [String]] = [:]
    for place in Place.allCases {
      let keys = kind.path(to: place).split(separator: ".").map(String.init)
      var seen: Set<String> = []
      vocabulary[place] = documents.compactMap { document in
        keys.reduce(document) { $0?.object?[$1] }?.string
      }.filter { seen.insert($0).inserted }
    }
    self.vocabulary = vocabulary
  }

  /// The real events of AWS CloudTrail, as they came.
  static func cloudTrail(_ data: URL) throws -> [Data] {
    let lines = try Data(contentsOf: data.appendingPathComponent("events.ndjson")).split(separator: 0x0A)
    return lines.filter {
      $0.range(of: Data(#""eventVersion""#.utf8)) != nil && $0.range(of: Data(#""eventSource""#.utf8)) != nil
    }
  }

  /// A string that events have at a place.
  func pick(_ place: Place, _ number: Int) -> String {
    let strings = vocabulary[place] ?? []
    return strings[number % strings.count]
  }

  func rare(_ number: Int) -> Rare {
    let code = Self.hexadecimal(number, 6)
    let text = Array(pick(.text, number * 31).utf8)
    let start = number * 17 % max(text.count - 12, 1)
    let part = String(decoding: text[start...].prefix(12), as: UTF8.self)
    let (third, second) = (number & 0xFF, number >> 8 & 0xFF)
    return Rare(
      code: code, actor: pick(.actor, number) + "-" + code, path: pick(.path, number) + "-" + code,
      text: part + "-" + code, address: "10.\(second).\(third).7", network: "10.\(second).\(third).0/24")
  }

  private static func small(_ number: Int) -> JSONValue {
    let random = { (salt: Int) in
      Int(truncatingIfNeeded: UInt(bitPattern: (number &* 64 + salt + 1) &* 0x2545_F491_4F6C_DD1D) >> 20)
    }
    let verbs = ["read", "write", "delete", "share", "copy"]
    let objects = ["file", "bucket", "key", "role"]
    let roles = ["admin", "analyst", "auditor", "billing", "support", "service"]
    let (verb, object) = (verbs[random(0) % verbs.count], objects[random(1) % objects.count])
    let session = hexadecimal(random(2), 5)
    return [
      "event_id": .string("e-" + hexadecimal(random(3), 8)), "timestamp": "2025-03-01T12:34:56Z",
      "type": .string(object + "." + verb),
      "user": ["name": .string("user-" + hexadecimal(random(4), 5)), "role": .string(roles[random(5) % roles.count])],
      "source_ip": .string("10.\(random(6) % 256).\(random(7) % 256).\(random(8) % 256)"), "status": "success",
      "bytes": .number(JSONNumber(random(9) % 100_000)),
      "path": .string("/srv/\(object)s/" + hexadecimal(random(10), 4)),
      "message": .string("\(verb) of \(object) in session \(session)"),
    ]
  }

  private static func hexadecimal(_ number: Int, _ digits: Int) -> String {
    let text = String(number % (1 << (4 * digits)), radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
  }
}

extension JSONValue {
  /// The value with another one at a path below it.
  func replacing(_ keys: ArraySlice<Substring>, with value: JSONValue) -> JSONValue {
    guard let key = keys.first.map(String.init) else { return value }
    var members = object ?? JSONObject()
    members[key] = (members[key] ?? .null).replacing(keys.dropFirst(), with: value)
    return .object(members)
  }
}
