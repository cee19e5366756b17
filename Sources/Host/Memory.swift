import CMalloc

/// The memory of the process.
package enum Memory {
  /// Gives the system what was freed. The allocator keeps it for later wherever something that is still in use lies above it: of
  /// all that loading 10,000 policies takes for a while, that was the half.
  package static func returnUnused() { malloc_trim(0) }
}
