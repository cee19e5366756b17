import Foundation

/// What the system counts of a process, proc(5).
package enum ProcessFigures {
  /// Resident memory, in MB.
  package static func resident(_ pid: String) throws -> Double { try memory("VmRSS:", of: pid) }

  /// The most resident memory that it had since its start or the last ``forgetPeak(_:)``, in MB.
  package static func peak(_ pid: String) throws -> Double { try memory("VmHWM:", of: pid) }

  /// Has the peak counted anew from now on, which is root's to do: the programs keep their memory private.
  package static func forgetPeak(_ pid: String) throws {
    try "5".write(toFile: "/proc/\(pid)/clear_refs", atomically: false, encoding: .utf8)
  }

  /// Seconds of processor time, its own and the system's for it.
  package static func processorTime(_ pid: String) throws -> Double {
    let status = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
    let ticks = fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private static func memory(_ label: String, of pid: String) throws -> Double {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix(label) }
    let kilobytes = line.flatMap { Double($0.filter(\.isNumber)) } ?? 0
    return (kilobytes / 102.4).rounded() / 10
  }
}
