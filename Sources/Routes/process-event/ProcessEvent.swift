import API
import Glibc
import Host
import Spool

/// Takes events in: as a rule in one round trip to PostgreSQL, in one or two more where the key was not looked up of late or the
/// tenant's policies changed. Calls that had to wait for the worker share that round trip. A client that prefers to wait for the
/// deliveries has it look for them as well, for as long as no other request wants the worker.
@main
struct ProcessEvent {
  static func main() {
    do {
      let processor = Processor(try SpoolFolder.configured())
      Route(
        "process-event", bodyLimit: EventBody.limit,
        [.post("", whileAway: processor.keep, processor.process)]
      ).run()
    } catch {
      Log.error("cannot serve: \(error)")
      exit(1)
    }
  }
}
