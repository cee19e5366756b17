import CProcess

/// The memory of the process.
package enum Memory {
  /// Gives the system what was freed. The allocator keeps it for later wherever something that is still in use lies above it: of
  /// all that loading 10,000 policies takes for a while, that was the half.
  package static func returnUnused() { malloc_trim(0) }

  /// Keeps the memory of the process out of core dumps and from other processes of its user, for there are secrets in it.
  package static func keepPrivate() {
    if forbid_core_dumps() != 0 { Log.warning("the memory of this process would be in a core dump") }
  }
}
