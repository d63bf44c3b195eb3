"""What an administrator's script does with the official client; prints what it saw as JSON."""

import json
import sys
import time

import XenAPI

OWN_KEY = "python-client"


def main():
    given = json.load(sys.stdin)
    session = XenAPI.Session(given["url"], ignore_ssl=True)
    session.login_with_password(given["username"], given["password"], "1.0", "python-client")
    xapi = session.xenapi
    try:
        seen = {"version": session.API_version, **networks(xapi), **guest(xapi), "events": events(xapi)}
        seen["failure"] = failure_of(lambda: xapi.VM.start(given["unknown"], False, True))
    finally:
        xapi.session.logout()
    print(json.dumps(seen))


def networks(xapi):
    interfaces = xapi.PIF.get_all_records()
    external = [xapi.PIF.get_network(ref) for ref, pif in interfaces.items() if pif["management"]][0]
    network = xapi.network.create({"name_label": "from Python", "MTU": "1400", "other_config": {}})
    xapi.network.add_to_other_config(network, OWN_KEY, "1")
    record = xapi.network.get_record(network)
    xapi.network.destroy(network)
    gone = failure_of(lambda: xapi.network.get_uuid(network))
    return {"external": xapi.network.get_name_label(external), "network": record, "networkGone": gone}


def guest(xapi):
    """Clones a VM, gives it a VIF, runs it, and takes it away again."""
    templates = [ref for ref, vm in xapi.VM.get_all_records().items() if vm["is_a_template"]]
    vm = xapi.VM.clone(templates[0], "cloned from " + xapi.VM.get_name_label(templates[0]))
    xapi.VM.set_PV_args(vm, "noninteractive")
    xapi.VM.remove_from_other_config(vm, OWN_KEY)
    xapi.VM.add_to_other_config(vm, OWN_KEY, "1")
    xapi.VM.provision(vm)
    internal = xapi.network.create({"name_label": "for the clone", "other_config": {}})
    vif = xapi.VIF.create(
        {
            "device": xapi.VM.get_allowed_VIF_devices(vm)[0],
            "network": internal,
            "VM": vm,
            "MAC": "",
            "MTU": "1500",
            "qos_algorithm_type": "",
            "qos_algorithm_params": {},
            "other_config": {},
        }
    )
    xapi.VM.start(vm, False, True)
    attached = xapi.VIF.get_record(vif)
    metrics = xapi.VM.get_guest_metrics(vm)
    report = [xapi.VM_guest_metrics.get_os_version(metrics), xapi.VM_guest_metrics.get_networks(metrics)]
    result = finished(xapi, xapi.Async.VIF.unplug(vif))
    xapi.VM.hard_shutdown(vm)
    started = finished(xapi, xapi.Async.VM.start(vm, False, True))
    again = finished(xapi, xapi.Async.VM.start(vm, False, True))
    xapi.VM.hard_shutdown(vm)
    xapi.VM.destroy(vm)
    xapi.network.destroy(internal)
    tasks = {"unplug": result, "start": started, "startAgain": again}
    return {"vif": attached, "report": report, "tasks": tasks}


def finished(xapi, task):
    deadline = time.monotonic() + 30
    while xapi.task.get_status(task) == "pending":
        if time.monotonic() > deadline:
            raise RuntimeError("The task did not end within 30 s.")
        time.sleep(0.05)
    record = xapi.task.get_record(task)
    xapi.task.destroy(task)
    return [record["status"], record["result"], record["error_info"]]


def events(xapi):
    """Once everything, then what a change brings; `from` is a keyword, so the client says event_from."""
    everything = xapi.event_from(["*"], "", 0.0)
    pool = xapi.pool.get_all()[0]
    xapi.pool.add_to_other_config(pool, OWN_KEY, "1")
    batch = xapi.event_from(["pool"], everything["token"], 30.0)
    xapi.pool.remove_from_other_config(pool, OWN_KEY)
    changes = [[event["class"], event["operation"], event["snapshot"]["other_config"]] for event in batch["events"]]
    return {"classes": sorted({event["class"] for event in everything["events"]}), "changes": changes}


def failure_of(call):
    try:
        call()
    except XenAPI.Failure as failure:
        return failure.details
    return None


main()
