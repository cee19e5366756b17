import Glibc

/// The machine that the process runs on.
package enum Machine {
  /// What it is called.
  package static var name: String {
    var name = [CChar](repeating: 0, count: 256)
    let isKnown = gethostname(&name, name.count - 1) == 0
    return isKnown ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : "unknown"
  }

  /// How much of the disk that a folder is on is free for others than the superuser, in per cent: of its bytes or of the files
  /// that it has room for, whichever is less.
  package static func freePercent(ofDiskWith folder: String) throws(SystemError) -> Int {
    var disk = statvfs()
    guard statvfs(folder, &disk) == 0 else { throw SystemError("look at the disk of \(folder)", code: errno) }
    let bytes = percent(free: disk.f_bavail, of: disk.f_blocks - disk.f_bfree + disk.f_bavail)
    let files = percent(free: disk.f_favail, of: disk.f_files - disk.f_ffree + disk.f_favail)
    return min(bytes, files)
  }

  /// File systems that count nothing are never full.
  private static func percent(free: UInt, of all: UInt) -> Int { all == 0 ? 100 : Int(free * 100 / all) }
}
