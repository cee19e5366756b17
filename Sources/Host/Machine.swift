import Glibc

/// The machine that the process runs on.
package enum Machine {
  /// What it is called.
  package static var name: String {
    var name = [CChar](repeating: 0, count: 256)
    let isKnown = gethostname(&name, name.count - 1) == 0
    return isKnown ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : "unknown"
  }

  /// Who uses it: the user who logged in, as the kernel keeps it through sudo and the like, or else the one that the process runs
  /// as. A user without a name is told by number.
  package static var userName: String {
    let login = fopen("/proc/self/loginuid", "r").flatMap { file -> uid_t? in
      defer { fclose(file) }
      return readLine(of: file).flatMap { uid_t($0) }
    }
    let user = login.flatMap { $0 == .max ? nil : $0 } ?? getuid()
    return getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "\(user)"
  }

  private static func readLine(of file: UnsafeMutablePointer<FILE>) -> String? {
    var line = [CChar](repeating: 0, count: 32)
    guard fgets(&line, CInt(line.count), file) != nil else { return nil }
    return String(decoding: line.prefix { $0 > 0x20 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
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
