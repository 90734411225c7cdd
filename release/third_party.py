#!/usr/bin/env python3
"""Lists what is compiled into the programs of a release: the crates, SQLite, Swagger UI and the packages in the storefront.

    release/third_party.py licenses > THIRD_PARTY_LICENSES
    release/third_party.py sbom x86_64-unknown-linux-musl > noren.cdx.json

`licenses` covers every target of a release, and fails if a crate has a license that is not in deny.toml. `sbom` writes a
bill of materials for one target, in CycloneDX 1.6. Both depend on Cargo.lock and the bundle of the storefront only, so equal sources have equal output.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ["noren", "command", "sync", "query"]
TARGETS = (ROOT / "release/targets").read_text().split()
# A crate that offers several licenses is used under the first of them in this list.
ACCEPTED = tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"]
LICENSE_FILE = re.compile(r"^(un)?licen[sc]e|^copying|^copyright", re.IGNORECASE)


def metadata(target):
    """Returns the packages in the programs with all features for a target, by id, the edges between them, and the packages
    that only compile or test them."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--features=noren/aws", f"--filter-platform={target}"]
    graph = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in graph["packages"]}
    members = set(graph["workspace_members"])
    edges = {
        node["id"]: [edge["pkg"] for edge in node["deps"] if any(kind["kind"] is None for kind in edge["dep_kinds"])]
        for node in graph["resolve"]["nodes"]
    }
    found, waiting = {}, [id for id in members if packages[id]["name"] in PROGRAMS]
    while waiting:
        id = waiting.pop()
        if id not in found:
            found[id] = packages[id]
            waiting.extend(edges[id])
    return found, edges, [package for id, package in packages.items() if id not in found]


def crates(packages):
    """Returns the packages that are not of this repository, by name and version."""
    foreign = [package for package in packages.values() if package["source"]]
    return sorted(foreign, key=lambda package: (package["name"], package["version"]))


# ------------------------------------------------------------------------------------------------------- licenses


def alternatives(expression):
    """Returns the sets of licenses that fulfil an SPDX expression. `/` is an old spelling of `OR`."""
    tokens = re.findall(r"[()/]|[\w.+-]+", expression)

    def either():
        options = both()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            options = options + both()
        return options

    def both():
        options = single()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            others = single()
            options = [left | right for left in options for right in others]
        return options

    def single():
        token = tokens.pop(0)
        if token == "(":
            options = either()
            tokens.pop(0)
            return options
        if tokens and tokens[0] == "WITH":
            token = f"{token} WITH {tokens[1]}"
            del tokens[:2]
        return [{token}]

    return either()


def chosen(package):
    """Returns the licenses under which a crate is used."""
    expression = package["license"]
    options = [option for option in alternatives(expression) if option <= set(ACCEPTED)] if expression else []
    if not options:
        sys.exit(f"{package['name']} {package['version']}: license {expression!r} is not allowed; see deny.toml")
    return min(options, key=lambda option: sorted(ACCEPTED.index(license) for license in option))


def text_of(file):
    return "\n".join(line.rstrip() for line in file.read_text(errors="replace").strip().splitlines())


def is_apache(text):
    return "apache license" in text[:400].lower() and "version 2.0" in text[:400].lower()


def files(package):
    """Returns the files beside the manifest of a crate."""
    folder = Path(package["manifest_path"]).parent
    return sorted(file for file in folder.iterdir() if file.is_file())


def embedded_texts(package):
    """Returns the license texts of other software in a crate, such as a library in C, which stand deeper in its folder."""
    folder = Path(package["manifest_path"]).parent
    deeper = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.parent != folder)
    # A source file may be named `license.rs`.
    named = [file for file in deeper if LICENSE_FILE.match(file.name) and file.suffix in ("", ".txt", ".md")]
    return [text for text in map(text_of, named) if not is_apache(text)]


def notices(package):
    return [text_of(file) for file in files(package) if file.name.upper().startswith("NOTICE")]


def texts(package, licenses, everything):
    """Returns the license texts of a crate, apart from that of Apache-2.0, which is printed once."""
    embedded = embedded_texts(package)
    if licenses == {"Apache-2.0"}:
        return embedded
    candidates = [text_of(file) for file in files(package) if LICENSE_FILE.match(file.name)]
    found = [text for text in candidates if not is_apache(text)]
    if found:
        return found + embedded
    # Crates of one repository often share the file of one of them.
    for other in everything:
        if package["repository"] and other["repository"] == package["repository"] and other["name"] != package["name"]:
            shared = [text_of(file) for file in files(other) if LICENSE_FILE.match(file.name)]
            if shared and other["license"] == package["license"]:
                return shared
    if licenses == {"MIT"}:
        holders = ", ".join(re.sub(r"\s*<[^>]*>", "", author) for author in package["authors"]) or f"the authors of {package['name']}"
        return [MIT.format(holders=holders)]
    sys.exit(f"{package['name']} {package['version']}: no text of its license {licenses} is in the crate")


MIT = """Copyright (c) {holders}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def swagger_ui(build):
    """Returns the version of Swagger UI in the programs, its notice, and the hash of the archive that it comes in. The crate
    with the archive is a build dependency."""
    package = next(package for package in build if package["name"] == "utoipa-swagger-ui-vendored")
    archive = next((Path(package["manifest_path"]).parent / "res").glob("*.zip"))
    with zipfile.ZipFile(archive) as zipped:
        folder = zipped.namelist()[0].split("/")[0]
        if not is_apache(zipped.read(f"{folder}/LICENSE").decode()):
            sys.exit("Swagger UI has another license than Apache-2.0 now")
        notice = zipped.read(f"{folder}/NOTICE").decode().strip()
    return archive.stem.lstrip("v"), notice, hashlib.sha256(archive.read_bytes()).hexdigest()


def sqlite(everything):
    """Returns the version of SQLite in the programs."""
    package = next(package for package in everything if package["name"] == "libsqlite3-sys")
    header = (Path(package["manifest_path"]).parent / "sqlite3/sqlite3.h").read_text(errors="replace")
    return re.search(r'#define SQLITE_VERSION\s+"([\d.]+)"', header)[1]


def npm_packages():
    """Returns the packages of npm that the script of the storefront contains. The build of the script lists them."""
    return json.loads((ROOT / "crates/storefront/dist/packages.json").read_text())


def all_targets():
    packages, build = {}, []
    for target in TARGETS:
        found, _, build = metadata(target)
        packages |= found
    return crates(packages), build


def licenses():
    everything, build = all_targets()
    line = "-" * 120
    swagger_version, swagger_notice, _ = swagger_ui(build)
    print("THIRD-PARTY LICENSES\n")
    print("The programs of Noren contain the software below. Noren itself is licensed under MIT or Apache 2.0.")
    print("This file is written by release/third_party.py.\n")
    apache, groups, notice_list = [], {}, [("Swagger UI", swagger_notice)]
    for package in everything:
        used, name = chosen(package), f"{package['name']} {package['version']}"
        if "Apache-2.0" in used:
            apache.append(name)
            notice_list += [(name, notice) for notice in notices(package)]
        for text in texts(package, used, everything):
            # Line breaks differ between copies of one text.
            _, names, _ = groups.setdefault(" ".join(text.split()), (used - {"Apache-2.0"}, [], text))
            names.append(name)
    for package in npm_packages():
        if package["license"] not in ACCEPTED:
            sys.exit(f"{package['name']} {package['version']}: license {package['license']} is not allowed; see deny.toml")
        name, text = f"{package['name']} {package['version']} (npm)", package["text"].strip()
        if package["license"] == "Apache-2.0":
            apache.append(name)
        else:
            _, names, _ = groups.setdefault(" ".join(text.split()), ({package["license"]}, [], text))
            names.append(name)
    print(f"{line}\nSQLite {sqlite(everything)}: in the public domain, https://www.sqlite.org/copyright.html\n")
    for _, (used, names, text) in sorted(groups.items(), key=lambda group: group[1][1]):
        print(f"{line}\n{', '.join(names)}: {' and '.join(sorted(used)) or 'see the text'}\n")
        if "MPL-2.0" in used:
            # Section 3.2: those who get the program are told how to get the source.
            print("Used unchanged; the source is at " + ", ".join(f"https://crates.io/crates/{name.replace(' ', '/')}" for name in names) + "\n")
        print(f"{text}\n")
    print(f"{line}\nApache-2.0: Swagger UI {swagger_version}, {', '.join(apache)}\n")
    for name, notice in notice_list:
        print(f"Notice of {name}:\n{notice}\n")
    print(text_of(ROOT / "LICENSE-APACHE"))


# ----------------------------------------------------------------------------------------------------------- SBOM


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def npm_purl(package):
    """Returns the package URL, in which the `@` of a scope is escaped."""
    return f"pkg:npm/{package['name'].replace('@', '%40')}@{package['version']}"


def sbom(target):
    packages, edges, build = metadata(target)
    everything = crates(packages)
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in lock}
    version = next(package["version"] for package in packages.values() if package["name"] == "noren")
    swagger_version, _, swagger_hash = swagger_ui(build)
    components = [
        {
            "type": "library",
            "bom-ref": purl(package),
            "name": package["name"],
            "version": package["version"],
            "purl": purl(package),
            "hashes": [{"alg": "SHA-256", "content": checksums[package["name"], package["version"]]}],
            "licenses": [{"license": {"id": license}} for license in sorted(chosen(package))],
        }
        for package in everything
    ]
    embedded = [("sqlite", sqlite(everything), "libsqlite3-sys", "blessing", None)]
    embedded.append(("swagger-ui", swagger_version, "utoipa-swagger-ui", "Apache-2.0", swagger_hash))
    for name, its_version, _, license, digest in embedded:
        reference = f"pkg:generic/{name}@{its_version}"
        component = {"type": "library", "bom-ref": reference, "name": name, "version": its_version, "purl": reference}
        if digest:
            component["hashes"] = [{"alg": "SHA-256", "content": digest}]
        components.append(component | {"licenses": [{"license": {"id": license}}]})
    for package in npm_packages():
        reference = npm_purl(package)
        component = {"type": "library", "bom-ref": reference, "name": package["name"], "version": package["version"]}
        components.append(component | {"purl": reference, "licenses": [{"license": {"id": package["license"]}}]})
    embedded_in = {crate: f"pkg:generic/{name}@{its_version}" for name, its_version, crate, _, _ in embedded}
    # Packages of this repository are one component: a release has one version of all.
    product = f"pkg:generic/noren@{version}"
    reference = {id: purl(package) if package["source"] else product for id, package in packages.items()}
    depends = {}
    for id, package in packages.items():
        below = depends.setdefault(reference[id], set())
        below |= {reference[edge] for edge in edges[id]} - {product}
        if package["name"] == "storefront":
            below |= {npm_purl(package) for package in npm_packages()}
        if package["name"] in embedded_in:
            below.add(embedded_in[package["name"]])
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{product}?target={target}&" + json.dumps(components))
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": product,
                "name": "noren",
                "version": version,
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "properties": [{"name": "noren:target", "value": target}],
            }
        },
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted(below)} for ref, below in sorted(depends.items())],
    }
    print(json.dumps(document, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["licenses"]:
            licenses()
        case ["sbom", target]:
            sbom(target)
        case _:
            sys.exit(__doc__)
