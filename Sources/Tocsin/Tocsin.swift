import ArgumentParser
import Host

/// What an operator does, one subcommand each.
@main
struct Tocsin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tocsin",
    abstract: "Operate Tocsin: its database, its API keys, events by hand, a look at how it is doing.",
    discussion: "The database is the one of ALERTING_DATABASE_URL. deploy/tocsin.env describes every setting.",
    subcommands: [Migrate.self, Keys.self, Audit.self, Send.self, Status.self, HookCommands.self])

  static func main() {
    Memory.keepPrivate()
    main(nil)
  }
}

/// Why something could not be done, in a sentence for the operator.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
