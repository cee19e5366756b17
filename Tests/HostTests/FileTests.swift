import Glibc
import Host
import TestSupport
import Testing

@Suite("Files that outlive a crash") struct FileTests {
  private let folder: String

  init() throws {
    var name = Array("/tmp/tocsin-files-XXXXXX".utf8CString)
    try #require(mkdtemp(&name) != nil)
    folder = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private func clear() {
    for name in ["state", "lock"] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  @Test("A file is replaced whole, is its owner's alone, and leaves nothing beside it")
  func replace() throws {
    defer { clear() }
    let path = folder + "/state"
    try File.replace(path, with: Array("first, and longer".utf8))
    try File.replace(path, with: Array("second".utf8))
    #expect(try File.read(path) == Array("second".utf8))
    #expect(try File.names(in: folder) == ["state"])
    #expect(try !File.isReadableByOthers(path))
    chmod(path, 0o640)
    #expect(try File.isReadableByOthers(path))
    #expect(throws: SystemError("open /nowhere/state.new", code: ENOENT)) {
      try File.replace("/nowhere/state", with: [])
    }
  }

  @Test("A folder is made for its owner alone, once, and what cannot be made says so")
  func makeFolder() throws {
    defer { clear() }
    let path = folder + "/state"
    defer { rmdir(path) }
    try File.makeFolder(path)
    try File.replace(path + "/kept", with: [7])
    try File.makeFolder(path)
    #expect(try File.read(path + "/kept") == [7])
    #expect(try !File.isReadableByOthers(path))
    unlink(path + "/kept")
    #expect(throws: SystemError("make /nowhere/state", code: ENOENT)) { try File.makeFolder("/nowhere/state") }
  }

  @Test("A lock is one holder's, until that one lets go")
  func lock() throws {
    defer { clear() }
    var first: FileLock? = try FileLock(folder + "/lock")
    let second = try FileLock(folder + "/lock")
    #expect(first?.take() == true)
    #expect(!second.take())
    first = nil
    // A program that another test is just starting holds the descriptor until it is in place.
    #expect(poll { second.take() })
    #expect(first == nil)
  }

  @Test("What is free of a disk is known, and a folder that is none says so")
  func disk() throws {
    #expect((0...100).contains(try Machine.freePercent(ofDiskWith: "/tmp")))
    #expect(try Machine.freePercent(ofDiskWith: "/proc") == 100)
    #expect(throws: SystemError("look at the disk of /nowhere", code: ENOENT)) {
      try Machine.freePercent(ofDiskWith: "/nowhere")
    }
  }
}
