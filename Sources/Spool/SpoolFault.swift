import Host

/// Why a body could not be kept.
package enum SpoolFault: Error, Equatable, Sendable {
  /// There is no room for it: the disk is full, or would have less left than is kept free for others.
  case full(reason: String)
  /// The disk failed.
  case failed(SystemError)
}
