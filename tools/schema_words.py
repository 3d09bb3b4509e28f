"""Names of tables and columns read as words: split at underscores and capitals, abbreviations spelled out, German,
French, Spanish and Italian words of the trade put into English, compounds taken apart.

`words_of("FertAuftragNr")` is ("production", "order", "number"). What is no known word stays as it is, so that a label
always says at least what the schema says. tests/test_model_draft.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

#: English word -> the forms in which schemas write it: abbreviations, then other languages.
_FORMS = """
acknowledged: ack quittiert acknowledge | action: massnahme accion | active: aktiv actif | actual: act ist real effective
address: adresse anschrift addr direccion | alarm: alm alarme alarma meldung stoermeldung | amount: amt betrag montant importe
area: bereich bereiche zone abteilung department dept halle hall section secteur | article: artikel item sku erzeugnis articulo
assigned: zugewiesen | availability: verfuegbarkeit disponibilite | bank: iban bic
batch: charge chargen partie batchno lote | begin: beg beginn von debut inicio inizio | birth: geburt geburts dob naissance
brand: marke | building: gebaeude | calibration: kalibrierung | capa: korrekturmassnahme corrective | category: kat cat kategorie categorie categoria
cause: ursache causa | certificate: certification zertifikat nachweis cert qualifikation qualification | changeover: umruest umruesten ruesten
characteristic: merkmal pruefmerkmal parameter | class: klasse | cleaning: reinigung cip | closed: close geschlossen abgeschlossen erledigt
code: cd kode | comment: bemerkung notiz note remark remarks anmerkung kommentar kommentare commentaire observation
completed: complete fertig finished | component: komponente bauteil komp | consumption: verbrauch consommation consumo | contact: kontakt ansprechpartner
cost: kosten cout costo | count: cnt anzahl anz zaehler counter nombre | country: land pays | created: angelegt erstellt erfasst cree creation
currency: waehrung | customer: kunde kunden cust client kd cliente | cycle: cyc zyklus takt | daily: taeglich
date: datum dat dt fecha data tag jour dia | day: | defect: mangel maengel fehlerart fehlercode defekt defaut defecto flaw fault
delivery: lieferung | description: desc descr beschreibung bezeichnung bez text benennung libelle descripcion designation
deviation: abweichung ecart | disposition: entscheid verwendungsentscheid | document: dokument | downtime: stillstand stillstaende stillstandszeit stop stops stoppage stoppages ausfall ausfaelle stoerung stoerungen arret paro outage halt
due: faellig frist deadline | duration: dur dauer duree duracion elapsed | email: mail | employee: emp mitarbeiter ma employe empleado personal staff worker werker arbeiter personnel
end: ende bis fin stop_time ended finish | energy: energie strom electricity | equipment: equip eqp eq asset anlage anlagen betriebsmittel equipement resource ressource workstation arbeitsplatz
error: fehler err erreur | event: ereignis ereignisse evt evenement | expiry: ablauf verfall mhd expires expiration | factor: faktor | family: familie produktfamilie
first: erster vorname | gender: geschlecht | genealogy: stammbaum trace traceability rueckverfolgung | good: gut gutmenge io ok bonne bon yieldqty accepted pass_qty
group: grp gruppe groupe | height: hoehe | hire: eintritt einstellung | hour: hr hrs std stunde stunden heure hora hours
id: ident identifier uuid guid | ideal: soll_takt | idle: leerlauf wartend | inspection: pruef pruefung pruefungen prueflos control controle inspeccion check checks
inspector: pruefer kontrolleur | inventory: bestand bestaende lagerbestand inventar stock lager warehouse | job: | kwh: | last: letzte nachname
level: stufe niveau lvl | limit: grenze grenzwert lim tolerance toleranz | line: linie linien ligne linea fertigungslinie produktionslinie cell zelle workcenter workcentre prodline
location: ort standort lagerort loc emplacement lagerplatz | log: protokoll logbuch journal | lot: los lotno lotnr
lower: unter untere untergrenze low lsl | machine: mach maschine maschinen masch maquina macchina | maintenance: wartung wartungen instandhaltung maint entretien mantenimiento
manager: leiter vorgesetzter | manufacturer: hersteller fabrikant | mass: | material: mat werkstoff rohstoff rohmaterial matiere materiale ingredient zutat
maximum: max hoechst | measurement: measured messung messungen mess messwert messwerte mesure measure reading readings | message: msg nachricht | milk: milch
millisecond: ms msec | minimum: mindest mindestbestand | minute: minuten mins minutes | month: monat mois mes
name: nom nombre_es nome bezeichner title titel | next: naechste | nonconformance: ncr ncrs nonconformity nonconformances reklamation reklamationen qmeldung
number: nr no num nummer numero | oee: gesamtanlageneffektivitaet trs | opened: open geoeffnet eroeffnet | operation: arbeitsgang avo vorgang op_step step
operator: bediener oper operateur operario anlagenfahrer | order: auftrag auftraege ord ordre orden commande | ordered: bestellt
organic: bio | packaging: verpackung | part: teil teile piece pieza pcs stueck stk pieces parts | percent: pct prozent proz | performance: leistung leistungsgrad
person: personen | phone: telefon tel handy mobile fax telephone | pin: | place: platz | plan: | planned: pln soll geplant plan planmaessig prevu previsto scheduled schedule
plant: werk werke usine planta factory fabrik betrieb | position: pos | pressure: druck press | previous: vorherige | price: preis prix precio | priority: prio prioritaet priorite urgency dringlichkeit urgence
process: prozess | produced: hergestellt made ausbringung output produzierte gefertigt | product: prod produkt produkte produit producto finished_good
production: fertigung fert prodn produktion produccion fabrication herstellung | quality: qualitaet qual qs qm qc qualite calidad | quantity: qty menge mng quantite cantidad qte
rate: quote | reason: grund gruende rsn raison motif motivo | received: eingang wareneingang | reject: rej rejects rejected rebut_de ausgesondert | reorder: meldebestand bestell rop
reported: gemeldet | request: anfrage anforderung | result: res ergebnis befund resultat resultado | revision: rev | rework: nacharbeit nachgearbeitet retouche retrabajo
role: rolle funktion funct | route: routing arbeitsplan | running: laufend laufzeit runtime run_time betriebszeit | salary: gehalt lohn wage wages pay stundenlohn salaire sueldo payrate
sample: probe proben muestra echantillon | scrap: scr ausschuss schrott nio nok rebut waste verwurf desecho | second: sec secs sek seconds sekunden s_dauer | segment: | sensor: fuehler messstelle
sequence: seq reihenfolge | serial: seriennummer sn serie | setpoint: sollwert sp | setup: ruestzeit setuptime | severity: schwere sev schweregrad gravite | shift: schicht schichten sft equipe turno
shipment: versand lieferschein sendung | short: kurz | signal: | site: standort_werk location_plant | skill: faehigkeit kenntnisse kompetenz | spare: ersatz ersatzteil ersatzteile
speed: geschwindigkeit vitesse | ssn: sozialversicherung svnr | standard: | start: startzeit anfang started start_time | state: zustand zustaende etat estado | station: stn | status: sts stat statut stato
stopped: | supplier: lieferant lieferanten supp vendor kreditor fournisseur proveedor lief | surname: familienname | symbol: kuerzel | tank: behaelter | target: tgt ziel zielwert objectif
task: aufgabe | team: kolonne | temperature: temp tmp temperatur | test: tests | text: | time: zeit uhrzeit zeitpunkt hora_time temps | timestamp: ts zeitstempel datetime
total: tot gesamt summe | training: schulung schulungen formation unterweisung | type: typ art tipo kind | unit: uom einheit me unite unidad | updated: geaendert modified changed
upper: ober obere obergrenze high usl | user: benutzer usr nutzer | valid: gueltig | value: wert val valeur valor | variant: variante | version: | volume: volumen | weight: gewicht poids peso kg
week: woche kw | work: | year: jahr annee | yield: ausbeute | password: passwort pwd secret token kennwort | dim: dimension | fact: fakt fct facts
history: historie hist archive archiv | bom: stueckliste billofmaterials nomenclature | recipe: rezept rezeptur formula | historian: | uptime: | corrected: | root: haupt | score: bewertung punkte
"""
#: Words that mean two things; what they mean beside others.
_TOGETHER: dict[tuple[str, ...], tuple[str, ...]] = {
    ("work", "order"): ("work", "order"),
    ("work", "center"): ("line",),
    ("work", "centre"): ("line",),
    ("work", "station"): ("equipment",),
    ("bill", "materials"): ("bom",),
    ("bill", "material"): ("bom",),
    ("prod", "qty"): ("produced", "quantity"),
    ("prod", "order"): ("production", "order"),
    ("prod", "line"): ("line",),
    ("down", "time"): ("downtime",),
    ("up", "time"): ("uptime",),
    ("non", "conformance"): ("nonconformance",),
    ("non", "conformity"): ("nonconformance",),
    ("change", "over"): ("changeover",),
    ("set", "up"): ("setup",),
    ("set", "point"): ("setpoint",),
    ("re", "work"): ("rework",),
    ("re", "order"): ("reorder",),
    ("best", "before"): ("expiry",),
    ("use", "by"): ("expiry",),
    ("run", "time"): ("running", "time"),
    ("time", "stamp"): ("timestamp",),
    ("e", "mail"): ("email",),
}
_ABBREVIATED = {"wo": ("work", "order"), "wc": ("line",), "ws": ("equipment",), "po": ("production", "order"), "mo": ("maintenance", "order"),
                "fa": ("production", "order"), "pk": ("id",), "fk": ("id",), "sk": ("id",), "key": ("id",), "oid": ("id",), "schl": ("id",),
                "avail": ("availability",), "perf": ("performance",), "hourlyrate": ("hourly", "rate"), "tagname": ("signal", "name"),
                "ppl": ("person",), "people": ("person",), "persons": ("person",), "mins": ("minute",), "vorname": ("first", "name"),
                "nachname": ("last", "name"), "gutmenge": ("good", "quantity"), "mindestbestand": ("minimum", "inventory"),
                "ersatzteil": ("spare", "part"), "ersatzteile": ("spare", "part"), "reorderpoint": ("reorder", "level"),
                "startzeit": ("start", "time"), "endzeit": ("end", "time"), "sollmenge": ("planned", "quantity"),
                "istmenge": ("actual", "quantity")}  # fmt: skip
_JOINTS = ("", "s", "n", "en", "es", "e", "er")
_STOP = frozenset(("tbl", "tab", "t", "v", "vw", "view", "xx", "tb", "mst", "master", "stamm", "daten", "data", "list", "liste", "table", "of", "the", "and", "und", "der", "des", "de", "by", "at", "in", "on", "d"))  # fmt: skip


@cache
def _known() -> dict[str, str]:
    """Every known form -> its English word."""
    found: dict[str, str] = {}
    for entry in re.split(r"[|\n]", _FORMS):
        word, _, forms = entry.strip().partition(":")
        if word:
            for form in (word, *forms.split()):
                found.setdefault(form, word)
    for word in list(found.values()):
        found.setdefault(f"{word}s", word)
        if word.endswith("y"):
            found.setdefault(f"{word[:-1]}ies", word)
    for form in [form for form in found if len(form) > 3 and form.isascii()]:
        found.setdefault(f"{form}s", found[form])
    for word in ("batches", "processes", "classes"):
        found[word] = word[:-2]
    return found


def plain(text: str) -> str:
    """Lower case without accents: ä as ae, ß as ss, é as e."""
    lowered = text.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    return "".join(char for char in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(char))


def split(name: str) -> tuple[str, ...]:
    """A name cut at everything that is no letter or digit, at capitals and before numbers: `PlannedStartTime2`."""
    spaced = re.sub(r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ])|(?<=[A-ZÄÖÜ])(?=[A-ZÄÖÜ][a-zäöüß])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", " ", name)
    return tuple(plain(part) for part in re.findall(r"[^\W_]+", spaced))


@cache
def words_of(name: str) -> tuple[str, ...]:
    """The English words of a name, in its order; unknown ones as they stand."""
    parts = [part for part in split(name) if part not in _STOP] or list(split(name))
    out: list[str] = []
    at = 0
    while at < len(parts):
        for size in (3, 2):
            joined = _TOGETHER.get(tuple(parts[at : at + size])) or _TOGETHER.get(tuple(map(singular, parts[at : at + size])))
            if joined and len(parts) - at >= size:
                out += joined
                at += size
                break
        else:
            out += _one(parts[at])
            at += 1
    return tuple(out)


def _one(part: str) -> tuple[str, ...]:
    if part in _ABBREVIATED:
        return _ABBREVIATED[part]
    known = _known()
    for ending in ("", "en", "n", "e", "es"):
        if part.endswith(ending) and part.removesuffix(ending) in known and (not ending or len(part) > 5):
            return (known[part.removesuffix(ending)],)
    return _compound(part) or (part,)


@cache
def _compound(part: str) -> tuple[str, ...]:
    """A compound word by its known parts, longest first; () when a part of it is unknown."""
    if len(part) < 5:
        return ()
    known = _known()
    for size in range(len(part) - 1, 1, -1):
        head = part[:size]
        word = _ABBREVIATED.get(head) or ((known[head],) if head in known and (size > 2 or head in ("id", "nr", "no")) else None)
        if word is None:
            continue
        rest = part[size:]
        for joint in _JOINTS:
            if rest.startswith(joint):
                tail = rest[len(joint) :]
                if tail in _ABBREVIATED:
                    return (*word, *_ABBREVIATED[tail])
                if tail in known and (len(tail) > 2 or tail in ("id", "nr", "no")):
                    return (*word, known[tail])
                if tail and (more := _compound(tail)):
                    return (*word, *more)
    return ()


def label_of(name: str) -> str:
    """How a column or table is called on a screen: its English words, the first one capital."""
    words = [word for word in words_of(name) if word not in ("dim", "fact")] or list(words_of(name))
    text = " ".join(words[:-1] if len(bare_words(name)) < len(words_of(name)) and len(words) > 1 else words)
    return text[:1].upper() + text[1:] if text else name


def own_words(name: str) -> str:
    """The schema's own words, split but not translated."""
    parts = [part for part in split(name) if part not in _STOP]
    return " ".join(parts[:-1] if len(bare_words(name)) < len(words_of(name)) and len(parts) > 1 else parts) or name.lower()


_UNITS = {"c": "°C", "degc": "°C", "celsius": "°C", "f": "°F", "bar": "bar", "mbar": "mbar", "psi": "psi", "kpa": "kPa", "kwh": "kWh", "kw": "kW", "rpm": "rpm", "mm": "mm",
          "cm": "cm", "kg": "kg", "g": "g", "l": "l", "ml": "ml", "pct": "%", "percent": "%", "eur": "EUR", "usd": "USD", "v": "V", "hz": "Hz", "ppm": "ppm", "nm": "Nm", "kn": "kN"}  # fmt: skip


_TIME_UNITS = frozenset(("s", "sec", "secs", "min", "mins", "h", "hr", "hrs", "ms"))


def bare_words(name: str) -> tuple[str, ...]:
    """The words of a name without the unit at its end: `yield_pct` and `dauer_min` by what they measure."""
    parts, words = split(name), words_of(name)
    return words[:-1] if len(words) > 1 and len(parts) > 1 and (parts[-1] in _UNITS or parts[-1] in _TIME_UNITS) else words


def unit_of(name: str) -> str:
    """The physical unit that a column's name ends with (`temp_c`, `qtyKg`); ""."""
    parts = split(name)
    return _UNITS.get(parts[-1], "") if len(parts) > 1 else ""


def plural(word: str) -> str:
    """An English plural that reads well enough for a label."""
    if re.search(r"(?:s|x|z|ch|sh)$", word):
        return word if word.endswith("s") and not word.endswith("ss") else f"{word}es"
    return f"{word[:-1]}ies" if re.search(r"[^aeiou]y$", word) else f"{word}s"


def singular(word: str) -> str:
    if re.search(r"(?:ss|us|is)$", word) or len(word) < 4:
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if re.search(r"(?:sses|xes|ches|shes)$", word) else word[:-1] if word.endswith("s") else word


def distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
