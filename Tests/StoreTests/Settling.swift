import Delivery
import Host

extension LeasedDelivery {
  /// An attempt that began and ended just now.
  func settled(
    _ outcome: Outcome, receiver: ReceiverState = .answering, status: Int? = nil, answer: String? = nil,
    pauseSeconds: Int? = nil
  ) -> Settlement {
    settled(
      outcome, startedAt: Clock.monotonic, endedAt: Clock.monotonic, receiver: receiver, status: status, answer: answer,
      pauseSeconds: pauseSeconds)
  }
}
