import Store
import Testing

@Suite("Marks of admissions") struct AdmissionMarkTests {
  private func parts(_ marks: [AdmissionMark]) -> [[String]] {
    marks.map { $0.text.split(separator: "/").map(String.init) }
  }

  @Test("Those of one admission are of as many producers, whose next ones are greater, until they begin afresh")
  func supply() {
    var supply = AdmissionMark.Supply()
    let (first, second) = (parts(supply.next(3)), parts(supply.next(4)))
    #expect(Set(first.map { $0[0] }).count == 3)
    #expect(second.prefix(3).map { $0[0] } == first.map { $0[0] })
    #expect(first.map { $0[1] } == ["1", "1", "1"])
    #expect(second.map { $0[1] } == ["2", "2", "2", "1"])
    supply.renew()
    #expect(Set((second + parts(supply.next(4))).map { $0[0] }).count == 8)
    #expect(supply.next(0).isEmpty)
  }
}
