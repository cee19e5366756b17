import Glibc
import Host
import TestSupport
import Testing

@testable import Spool

@Suite("The spool") struct SpoolTests {
  @Test("What was appended is read back, in order, under the ids that were told")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let writer = SpoolWriter(folder.spool)
    let bodies = (0..<20).map { body($0, text: String(repeating: "é\n\0", count: $0 * 100)) }
    let ids = try bodies.map { try writer.append($0) }
    let spool = try #require(try Spool(folder.spool))
    let readers = try spool.readers()
    #expect(readers.count == 1)
    let entries = try readers[0].entries()
    #expect(entries.map(\.entry) == bodies.map { .body($0) })
    #expect(ids == entries.map { SpoolID(segment: readers[0].name, offset: $0.range.lowerBound).text })
  }

  @Test("One process at a time replays, and another may once it has ended")
  func lock() throws {
    let folder = try TemporaryFolder()
    var first = try Spool(folder.spool)
    #expect(first != nil)
    #expect(try Spool(folder.spool) == nil)
    first = nil
    // A program that another test is just starting holds the descriptor until it is in place.
    #expect(try poll { try Spool(folder.spool) != nil })
  }

  @Test("A writer whose segment was sealed goes on in another")
  func sealing() throws {
    let folder = try TemporaryFolder()
    let writer = SpoolWriter(folder.spool)
    let spool = try #require(try Spool(folder.spool))
    #expect(try spool.isEmpty())
    for number in 1...2 {
      _ = try writer.append(body(number))
      let readers = try spool.readers(sealingMore: false)
      #expect(try readers.map { try $0.entries().map(\.entry) } == [[.body(body(1))]])
    }
    #expect(try spool.readers().count == 2)
    try spool.finish(try #require(spool.readers().first), events: 1, last: 1)
    #expect(try spool.readers().map { try $0.entries().map(\.entry) } == [[.body(body(2))]])
  }

  @Test("A segment that was finished is gone, even if its file outlives the account of it, and is counted once")
  func finishing() throws {
    let folder = try TemporaryFolder()
    let writer = SpoolWriter(folder.spool)
    for number in 0..<3 { _ = try writer.append(body(number, events: 5)) }
    let spool = try #require(try Spool(folder.spool))
    let reader = try #require(try spool.readers().first)
    #expect(try folder.spool.events(since: 0) == 15)
    let path = "\(folder.path)/\(reader.name).sealed"
    #expect(link(path, "\(folder.path)/kept") == 0)
    try spool.finish(reader, events: 15, last: 7_000_000)
    #expect(try spool.isEmpty())
    #expect(rename("\(folder.path)/kept", path) == 0)
    #expect(try folder.spool.events(since: 0) == 15)
    #expect(try spool.readers().isEmpty)
    #expect(try spool.isEmpty())
    #expect(try folder.spool.events(since: 7) == 15)
    #expect(try folder.spool.events(since: 8) == 0)
  }

  @Test("Cut at every byte of its last record, a segment has all the others whole and a torn end")
  func tornWrites() throws {
    let folder = try TemporaryFolder()
    let writer = SpoolWriter(folder.spool)
    let bodies = (0..<3).map { body($0, text: "{\"number\": \($0)}") }
    for body in bodies { _ = try writer.append(body) }
    let spool = try #require(try Spool(folder.spool))
    let reader = try #require(try spool.readers().first)
    let last = try #require(try reader.entries().last).range
    let path = "\(folder.path)/\(reader.name).sealed"
    for size in last.reversed() {
      #expect(truncate(path, off_t(size)) == 0)
      let entries = try SegmentReader(path).entries()
      let kept = bodies.dropLast().map { SpoolEntry.body($0) }
      #expect(entries.map(\.entry) == kept + (size == last.lowerBound ? [] : [.torn]), "cut at \(size)")
    }
  }

  @Test("Whichever byte is changed, only the record that has it is lost, and what is left of it can be set aside")
  func corruption() throws {
    let folder = try TemporaryFolder()
    let writer = SpoolWriter(folder.spool)
    let bodies = (0..<3).map { body($0, text: "TSP1 is what a header begins with, \($0)") }
    for body in bodies { _ = try writer.append(body) }
    let spool = try #require(try Spool(folder.spool))
    let reader = try #require(try spool.readers().first)
    let middle = try reader.entries()[1].range
    let path = "\(folder.path)/\(reader.name).sealed"
    let whole = try File.read(path)
    for place in middle {
      var changed = whole
      changed[place] ^= 0x40
      try File.replace(path, with: changed)
      let entries = try SegmentReader(path).entries()
      #expect(entries.map(\.entry.body) == [bodies[0], nil, bodies[2]], "changed at \(place)")
      #expect(entries.map(\.entry.isCorrupt) == [false, true, false], "changed at \(place)")
      #expect(entries[1].range == middle)
    }
    try File.replace(path, with: whole)
    let copy = try spool.setAside(middle, of: SegmentReader(path))
    #expect(try File.read(copy) == Array(whole[middle]))
  }

  @Test("A disk that would have too little left takes nothing more, and what is there stays whole")
  func reserve() throws {
    let folder = try TemporaryFolder()
    _ = try SpoolWriter(folder.spool).append(body(1))
    let careful = SpoolWriter(SpoolFolder(folder.path, reserve: 1 << 60))
    #expect(try careful.spoolFault(of: body(2)).isFull)
    let reader = try #require(try Spool(folder.spool)?.readers().first)
    #expect(try reader.entries().map(\.entry) == [.body(body(1))])
  }

  @Test("The largest body is kept and read back")
  func largest() throws {
    let folder = try TemporaryFolder()
    let body = SpooledBody(
      tenant: "acme", sender: .token(bearer: "user:alice"), receivedAt: 1, isLines: true, events: 1,
      bytes: Array(repeating: UInt8(ascii: " "), count: 16 << 20))
    _ = try SpoolWriter(folder.spool).append(body)
    let reader = try #require(try Spool(folder.spool)?.readers().first)
    #expect(try reader.entries().map(\.entry) == [.body(body)])
  }

  private func body(_ number: Int, text: String = "{}", events: Int = 1) -> SpooledBody {
    SpooledBody(
      tenant: "tenant-\(number % 2)", sender: .key(digest: "0a1b"), receivedAt: 1_000_000 + number,
      isLines: number % 2 == 0, events: events, attempt: number % 3 == 0 ? nil : "producer/\(number)",
      bytes: Array(text.utf8))
  }
}

extension Spool {
  fileprivate func readers(sealingMore: Bool = true) throws -> [SegmentReader] {
    try sealed(sealingMore: sealingMore).map { try open($0) }
  }
}

extension SegmentReader {
  fileprivate func entries() throws -> [(entry: SpoolEntry, range: Range<Int>)] {
    var entries: [(entry: SpoolEntry, range: Range<Int>)] = []
    while let next = try next() { entries.append(next) }
    return entries
  }
}

extension SpoolEntry {
  fileprivate var body: SpooledBody? { if case .body(let body) = self { body } else { nil } }
  fileprivate var isCorrupt: Bool { if case .corrupt = self { true } else { false } }
}

extension SpoolWriter {
  fileprivate func spoolFault(of body: SpooledBody) throws -> SpoolFault {
    try #require(throws: SpoolFault.self) { try append(body) }
  }
}

extension SpoolFault {
  fileprivate var isFull: Bool { if case .full = self { true } else { false } }
}

extension TemporaryFolder {
  fileprivate var spool: SpoolFolder { SpoolFolder(path, reserve: 0) }
}
