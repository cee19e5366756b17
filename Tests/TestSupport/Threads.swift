import Foundation

/// Runs a body on as many threads at once, all of which begin when the last one is ready, and answers what they answered, in
/// the order of their numbers. Real threads, because tasks would share as few as there are processors. The first error of
/// any is thrown when all have ended.
package func onThreads<Value: Sendable>(
  _ count: Int, _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
  let board = Board<Value>(count: count)
  for number in 0..<count {
    Thread.detachNewThread {
      board.awaitStart()
      board.post(Result { try body(number) }, at: number)
    }
  }
  return try board.awaitEnd().map { try $0.get() }
}

/// Where threads wait for each other and leave what they answer.
private final class Board<Value: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let count: Int
  private var waiting = 0
  private var results: [Int: Result<Value, any Error>] = [:]

  init(count: Int) { self.count = count }

  func awaitStart() {
    condition.withLock {
      waiting += 1
      condition.broadcast()
      while waiting < count { condition.wait() }
    }
  }

  func post(_ result: Result<Value, any Error>, at number: Int) {
    condition.withLock {
      results[number] = result
      condition.broadcast()
    }
  }

  func awaitEnd() -> [Result<Value, any Error>] {
    condition.withLock {
      while results.count < count { condition.wait() }
      return (0..<count).compactMap { results[$0] }
    }
  }
}
