import ArgumentParser
import Store

/// The keys of the API.
struct Keys: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create, list and revoke API keys.",
    subcommands: [CreateKey.self, ListKeys.self, RevokeKey.self])
}

extension Role: ExpressibleByArgument {}
