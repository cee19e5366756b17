import Foundation
import Host
import Testing

@Suite("Token buckets") struct TokenBucketsTests {
  private let path = FileManager.default.temporaryDirectory.appending(path: "buckets-\(UUID().uuidString)").path
  private let rate = TokenBuckets.Rate(perSecond: 10, capacity: 3)
  private let second: UInt64 = 1_000_000_000

  /// Buckets of which nothing is left when the test is over.
  private func withBuckets(_ body: (TokenBuckets) throws -> Void) throws {
    let buckets = try TokenBuckets(path: path)
    defer { unlink(path) }
    try body(buckets)
  }

  @Test("A bucket holds so many, gives them one by one, and says when there will be another")
  func burst() throws {
    try withBuckets { buckets in
      let levels = (0..<5).map { _ in buckets.take("a", rate, at: 100 * second) }
      #expect(levels.map(\.isGranted) == [true, true, true, false, false])
      #expect(levels.map(\.left) == [2, 1, 0, 0, 0])
      #expect(levels.map(\.secondsToFull) == [0.1, 0.2, 0.3, 0.3, 0.3])
      #expect(levels.map(\.secondsToNext) == [0, 0, 0, 0.1, 0.1])
      #expect(!buckets.take("a", rate, at: 100 * second + second / 10 - 1).isGranted)
      #expect(buckets.take("a", rate, at: 100 * second + second / 10).isGranted)
      #expect(buckets.take("a", rate, at: 200 * second).left == 2)
    }
  }

  @Test("Each name has a bucket of its own, also when there are thousands")
  func names() throws {
    try withBuckets { buckets in
      for name in 0..<4000 {
        let granted = (0..<4).map { _ in buckets.take("key \(name)", rate, at: 100 * second).isGranted }
        #expect(granted == [true, true, true, false], "\(name)")
      }
      #expect((0..<4000).allSatisfy { !buckets.take("key \($0)", rate, at: 100 * second).isGranted })
    }
  }

  @Test("Buckets that are full make room for others, however many there have been")
  func makingRoom() throws {
    try withBuckets { buckets in
      for name in 0..<200_000 {
        let moment = (100 + UInt64(name)) * second
        let granted = (0..<4).map { _ in buckets.take("key \(name)", rate, at: moment).isGranted }
        #expect(granted == [true, true, true, false], "\(name)")
      }
    }
  }

  @Test("A moment from before the machine was started holds nobody up")
  func earlierBoot() throws {
    try withBuckets { buckets in
      for name in 0..<50_000 { _ = buckets.take("key \(name)", rate, at: 1_000_000 * second) }
      for name in 0..<4000 {
        let granted = (0..<4).map { _ in buckets.take("new \(name)", rate, at: 5 * second).isGranted }
        #expect(granted == [true, true, true, false], "\(name)")
      }
    }
  }

  @Test("Whoever comes late with an earlier moment finds an empty bucket empty")
  func late() throws {
    try withBuckets { buckets in
      for _ in 0..<3 { _ = buckets.take("a", rate, at: 100 * second) }
      #expect(buckets.take("a", rate, at: 100 * second + second / 10).isGranted)
      #expect(!buckets.take("a", rate, at: 100 * second).isGranted)
      #expect(!buckets.take("a", rate, at: 100 * second + second / 10).isGranted)
    }
  }

  @Test("Whoever maps the file draws from the same buckets, and never one token more is given, however many do at once")
  func shared() async throws {
    let rate = TokenBuckets.Rate(perSecond: 1, capacity: 10_000)
    let (path, now) = (path, 100 * second)
    defer { unlink(path) }
    let granted = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          let buckets = try TokenBuckets(path: path)
          return (0..<2000).count { _ in buckets.take("a", rate, at: now).isGranted }
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(granted == 10_000)
  }

  @Test("A folder that is not there is told")
  func noFolder() {
    #expect(throws: SystemError.self) { try TokenBuckets(path: "/nonexistent/buckets") }
  }
}
