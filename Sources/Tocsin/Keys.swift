import ArgumentParser
import Matching
import Store

/// The keys of the API.
struct Keys: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create, list, rotate and revoke API keys, and rotate the master keys.",
    subcommands: [CreateKey.self, ListKeys.self, RotateKey.self, RevokeKey.self, RotateMaster.self])
}

extension Role: ExpressibleByArgument {}

extension Timestamp: ExpressibleByArgument {
  /// Reads RFC 3339.
  public init?(argument: String) { self.init(argument) }
}
