import Delivery
import Host

/// A place that is told of the storage's outages. A kind of hook is one type, and one case of ``HookKind``.
package protocol StorageAlertHook: Sendable {
  /// What the operator calls it; no two have the same name.
  var name: String { get }
  /// What has to be done for a message to reach it.
  func errand(for message: StorageMessage, attempt: Attempt) -> Errand
  /// What came of that means: whether the hook has the message, or why not.
  func verdict(on reply: ErrandReply, at now: Int) -> Verdict
  /// What it answered, as far as it may be shown; nil where it did not.
  func answer(in reply: ErrandReply) -> String?
}

/// Something that is done outside the process.
package enum Errand: Sendable {
  /// A request or a mail.
  case transfer(Transfer)
  /// A program.
  case command(Command)
}

/// What came of an errand.
package enum ErrandReply: Sendable {
  /// Of a request or a mail.
  case transfer(Reply)
  /// Of a program.
  case command(CommandReply)
}
