/// What a notice tells of its alert.
package enum Occasion: Sendable {
  /// It was raised.
  case triggered
  /// Somebody is at it.
  case acknowledged(Sequel)
  /// It is over.
  case resolved(Sequel)
  /// Its policy held back more events, of this alert or of others.
  case digest(HeldBack)
  /// Nothing has happened: somebody wants to see whether a provider gets what is sent to it.
  case test

  /// Something that happened to an alert after it was raised.
  package struct Sequel: Sendable {
    /// When it happened, RFC 3339 in UTC.
    package let time: String
    /// The id of the key with which somebody did it.
    package let actor: String
    /// The id of the delivery that told the same provider that the alert was raised.
    package let firstDeliveryID: String

    /// Something that happened to an alert.
    package init(time: String, actor: String, firstDeliveryID: String) {
      self.time = time
      self.actor = actor
      self.firstDeliveryID = firstDeliveryID
    }
  }

  /// The sequel, with the word for it that people read; nil where it is none.
  var sequel: (word: String, sequel: Sequel)? {
    switch self {
    case .triggered, .digest, .test: nil
    case .acknowledged(let sequel): ("Acknowledged", sequel)
    case .resolved(let sequel): ("Resolved", sequel)
    }
  }

  /// When it happened, RFC 3339, where that is not when the alert was raised.
  var time: String? {
    switch self {
    case .triggered, .test: nil
    case .acknowledged(let sequel), .resolved(let sequel): sequel.time
    case .digest(let heldBack): heldBack.end
    }
  }

  /// The id of the delivery that told the same provider of the alert; nil where this is the first.
  var firstDeliveryID: String? {
    switch self {
    case .triggered, .test: nil
    case .acknowledged(let sequel), .resolved(let sequel): sequel.firstDeliveryID
    case .digest(let heldBack): heldBack.firstDeliveryID
    }
  }

  /// What stands behind the subject of an answer to the first mail.
  var remark: String? {
    if case .digest(let heldBack) = self { return heldBack.phrase }
    return sequel?.word.lowercased()
  }
}
