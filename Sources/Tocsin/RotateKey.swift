import ArgumentParser
import Matching
import Store

/// Makes a key that takes the place of another, and shows it, once.
struct RotateKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate",
    abstract: "Replace an API key by a new one and print that; the old one goes on working for a while.",
    discussion: """
      The new key has the name, the role and the networks of the old one, and lasts from now on as long as that was to when it \
      was made.
      """)

  @Option(help: "The tenant that the key belongs to.")
  var tenant: String

  @Option(help: "For how many seconds the old key goes on working, at most 30 days.")
  var overlap = 86_400

  @Option(name: .customLong("expires-at"), help: "When the new key ends by itself, as 2027-01-01T00:00:00Z.")
  var expiresAt: Timestamp?

  @Argument(help: "The key's id, as `tocsin keys list` tells it.")
  var id: String

  func validate() throws {
    guard (0...KeyRotation.longestOverlap).contains(overlap) else {
      throw ValidationError("--overlap takes 0 to \(KeyRotation.longestOverlap) seconds")
    }
  }

  func run() throws {
    let key = KeyForm.make()
    let rotation = KeyRotation(overlapSeconds: overlap, expiresAt: expiresAt)
    switch try Database.store().rotateKey(id: id, tenant: tenant, to: key, rotation) {
    case .rotated: print(key)
    case .ended(let old):
      throw Failure(
        old.successorID.map { "the key \(id) has been replaced by \($0): rotate that" }
          ?? "the key \(id) is \(old.status.rawValue): create a new one")
    case .absent: throw Failure("the tenant \(tenant) has no key \(id)")
    }
  }
}
