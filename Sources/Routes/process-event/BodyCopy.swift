import Glibc
import Host

/// A copy of a body that is made while the body is read, in a file without a name: it ends with this.
final class BodyCopy {
  private let descriptor: CInt
  private var count = 0
  /// Whether all that was to be added is there.
  private(set) var isWhole = true

  /// An empty copy on the disk of a folder.
  init(in folder: String) throws(SystemError) {
    descriptor = open(folder, O_RDWR | Self.withoutName | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError("make a file in \(folder)", code: errno) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Adds the next bytes of the body. Where they have no room, the copy is worth nothing from there on.
  func append(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    while isWhole, !rest.isEmpty {
      let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return isWhole = false }
      rest = rest.dropFirst(written)
      count += written
    }
  }

  /// All of it so far.
  func bytes() throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes { memory in
        let rest = UnsafeMutableRawBufferPointer(rebasing: memory[filled...])
        return pread(descriptor, rest.baseAddress, rest.count, off_t(filled))
      }
      if read < 0, errno == EINTR { continue }
      guard read > 0 else { throw SystemError("read the copy of a body", code: read < 0 ? errno : EIO) }
      filled += read
    }
    return bytes
  }

  /// `O_TMPFILE` of Linux, which Swift does not import because it is put together from two flags.
  private static let withoutName: CInt = 0o20_000_000 | O_DIRECTORY
}
