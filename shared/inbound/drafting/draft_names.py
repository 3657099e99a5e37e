"""By which names HR systems export what: English and German, some French and Spanish, and the field names of SAP."""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

from shared.inbound.drafting.draft_keys import keys_of
from shared.scim.user import ENTERPRISE_USER

Kind = Literal["key", "login", "email", "phone", "country", "text", "address", "manager", "status", "hire", "leave"]


class Known(NamedTuple):
    """An attribute and the names of its column; of several `groups`, the first of which the file has a name counts.

    A column with one of `hints` could be it, and could as well be something else.
    """

    path: str
    kind: Kind
    groups: tuple[frozenset[str], ...]
    hints: frozenset[str] = frozenset()


EXTENSION = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User"
"""A placeholder for the schema that an organization registers for its own attributes."""


def _known(path: str, kind: Kind, *groups: str, hints: str = "") -> Known:
    return Known(path, kind, tuple(map(keys_of, groups)), keys_of(hints))


@cache
def all_keys() -> frozenset[str]:
    """Every key that says something about a column."""
    return frozenset().union(*(keys for known in KNOWN for keys in (*known.groups, known.hints)), _OTHERS)


_OTHERS = keys_of(
    "Birth Date, Date of Birth, Geburtsdatum, Gender, Geschlecht, Nationality, Nationalität, Salary, Gehalt, Mobile, "
    "Mobile Phone, Mobiltelefon, Private Email, Personal Email, Home Email, Manager Name, Supervisor Name, "
    "Manager Email, FTE, Grade, Location, Standort, Raum, Room, Anrede, Initials, Wohnort"
)
"""Usual columns for which no attribute is proposed; they help to tell the header from other lines."""

KNOWN = (
    _known(
        "externalId",
        "key",
        "Employee ID, Worker ID, Person ID, Person Number, Personnel Number, Personnel No, Employee Number, "
        "Employee No, Emp ID, Staff ID, Staff Number, Person ID External, External ID, Associate ID, "
        "Personalnummer, Personalnr, Pers-Nr, PERNR, Mitarbeiternummer, Mitarbeiter-ID, Mitarbeiter-Nr, "
        "Matricule, Numéro d'employé, Número de empleado, ID empleado",
        "User ID",
        hints="ID",
    ),
    _known(
        "userName",
        "login",
        "User Principal Name, UPN, Azure AD UPN, Entra UPN",
        "User Name, User ID, Login, Login Name, Login ID, Logon Name, Benutzername, Benutzerkennung, Anmeldename, "
        "Benutzer, Identifiant, Nombre de usuario, Usuario",
    ),
    _known(
        "active",
        "status",
        "Employment Status, Employee Status, Worker Status, Empl Status, Beschäftigungsstatus, Mitarbeiterstatus, "
        "Anstellungsstatus, Personalstatus, Status, Statut, Estado, Estado del empleado, Statut employé, STAT2, "
        "Active, Is Active, Active Status, Aktiv, Ist aktiv, Actif, Activo",
    ),
    _known(
        "name.formatted",
        "text",
        "Full Name, Formatted Name, Legal Name, Vollständiger Name, Gesamtname, Nom complet, Nombre completo, ENAME",
        hints="Name, Employee Name, Worker Name, Worker, Mitarbeiter",
    ),
    _known(
        "name.givenName", "text", "First Name, Given Name, Forename, Legal First Name, Vorname, VORNA, Prénom, Nombre"
    ),
    _known(
        "name.middleName", "text", "Middle Name, Legal Middle Name, Zweiter Vorname, Weitere Vornamen, Segundo nombre"
    ),
    _known(
        "name.familyName",
        "text",
        "Last Name, Surname, Family Name, Legal Last Name, Nachname, Familienname, Zuname, NACHN, Nom de famille, "
        "Apellido, Apellidos",
        hints="Name, Nom",
    ),
    _known(
        "name.honorificPrefix",
        "text",
        "Prefix, Name Prefix, Honorific Prefix, Academic Title, Akademischer Titel, Titel, Namenspräfix",
    ),
    _known("name.honorificSuffix", "text", "Suffix, Name Suffix, Honorific Suffix, Namenssuffix, Namenszusatz"),
    _known("displayName", "text", "Display Name, Anzeigename, Nom d'affichage, Nombre para mostrar"),
    _known(
        "nickName", "text", "Preferred Name, Preferred First Name, Nickname, Known As, Rufname, Spitzname, Nom d'usage"
    ),
    _known(
        "title",
        "text",
        "Job Title, Business Title, Position Title, Jobtitel, Stellenbezeichnung, Berufsbezeichnung, "
        "Funktionsbezeichnung, Positionsbezeichnung, Intitulé du poste, Puesto, Cargo",
        "Position, Stelle, Funktion",
        hints="Title, Job",
    ),
    _known(
        "userType",
        "text",
        "Worker Type, Employee Type, Employment Type, User Type, Beschäftigungsart, Mitarbeitertyp, "
        "Beschäftigungsverhältnis, Mitarbeitergruppe, Type de contrat, Tipo de empleado",
    ),
    _known("preferredLanguage", "text", "Preferred Language, Language, Sprache, Korrespondenzsprache, Langue, Idioma"),
    _known("locale", "text", "Locale, Gebietsschema"),
    _known("timezone", "text", "Time Zone, Timezone, Zeitzone"),
    _known(
        'emails[type eq "work"].value',
        "email",
        "Work Email, Business Email, Company Email, Work Email Address, Business Email Address, Email Work, Email "
        "Business, E-Mail dienstlich, E-Mail (geschäftlich), Dienstliche E-Mail, Geschäftliche E-Mail, "
        "Firmen-E-Mail, Email professionnel",
        "Email, Email Address, Mail, E-Mail-Adresse, Mailadresse, Courriel, Correo electrónico, Correo",
    ),
    _known(
        'phoneNumbers[type eq "work"].value',
        "phone",
        "Work Phone, Business Phone, Office Phone, Work Phone Number, Business Phone Number, Telefon dienstlich, "
        "Telefon (geschäftlich), Diensttelefon, Telefon geschäftlich",
        hints="Phone, Phone Number, Telephone, Telefon, Telefonnummer, Téléphone, Teléfono",
    ),
    _known(
        'addresses[type eq "work"].streetAddress',
        "address",
        "Work Street, Work Address, Office Address, Work Street Address, Office Street, Dienststraße, Straße "
        "Arbeitsort",
        hints="Street, Street Address, Address, Address Line 1, Straße, Straße und Hausnummer, Anschrift, Rue, "
        "Adresse, Calle",
    ),
    _known(
        'addresses[type eq "work"].locality',
        "address",
        "Work City, Office City, Work Location City, Arbeitsort, Dienstort",
        "City, Town, Ort, Stadt, Ville, Ciudad",
        hints="Work Location, Location, Standort",
    ),
    _known(
        'addresses[type eq "work"].region',
        "address",
        "Work State, Work Region, Office State",
        "State, State/Province, Province, Bundesland, Provincia",
    ),
    _known(
        'addresses[type eq "work"].postalCode',
        "address",
        "Work Postal Code, Work Zip, Office Postal Code",
        hints="Zip, Zip Code, Postal Code, Postcode, PLZ, Postleitzahl, Code postal, Código postal",
    ),
    _known(
        'addresses[type eq "work"].country',
        "country",
        "Work Country, Country, Country Code, Country Name, Work Location Country, Land, Länderschlüssel, "
        "Ländercode, LAND1, Pays, País",
    ),
    _known(
        f"{ENTERPRISE_USER}:costCenter",
        "text",
        "Cost Center, Cost Centre, Cost Center Code, Cost Center ID, Kostenstelle, Kostenstellennummer, KOSTL, "
        "Centre de coût, Centro de coste",
        "Cost Center Name, Kostenstellenbezeichnung",
    ),
    _known(
        f"{ENTERPRISE_USER}:organization",
        "text",
        "Company, Company Name, Legal Entity, Employer, Firma, Unternehmen, Gesellschaft, Société, Entreprise, "
        "Empresa, Organization",
        "Company Code, Buchungskreis, BUKRS",
    ),
    _known(
        f"{ENTERPRISE_USER}:division",
        "text",
        "Division, Division Name, Business Unit, Geschäftsbereich, Sparte, Unternehmensbereich, División",
        "Bereich, Personalbereich",
    ),
    _known(
        f"{ENTERPRISE_USER}:department",
        "text",
        "Department, Department Name, Abteilung, Abteilungsname, Département, Departamento",
        "Organizational Unit, Org Unit, Organisationseinheit, ORGEH",
        hints="Team, Service",
    ),
    _known(
        f"{ENTERPRISE_USER}:manager.value",
        "manager",
        "Manager ID, Manager Employee ID, Manager Worker ID, Manager Number, Manager User ID, Manager External "
        "ID, Supervisor ID, Supervisor Number, Line Manager ID, Reports To ID, Vorgesetzten-ID, Vorgesetzter ID, "
        "Vorgesetztennummer, Personalnummer Vorgesetzter, Vorgesetzter Personalnummer, Personalnummer des "
        "Vorgesetzten, Führungskraft ID, Matricule manager, ID supervisor",
        "Manager, Supervisor, Line Manager, Reports To, Vorgesetzter, Vorgesetzte, Vorgesetzte/r, Führungskraft, "
        "Responsable",
    ),
    _known(
        f"{EXTENSION}:hireDate",
        "hire",
        "Hire Date, Date of Hire, Original Hire Date, Joining Date, Date of Joining, Eintrittsdatum, Eintritt, "
        "Einstellungsdatum, Date d'embauche, Fecha de contratación, Employment Start Date",
        "Start Date, Startdatum, Beginndatum, BEGDA",
    ),
    _known(
        f"{EXTENSION}:leaveDate",
        "leave",
        "Termination Date, Leave Date, Leaving Date, Date of Leaving, Last Working Day, Last Day of Work, Exit "
        "Date, Austrittsdatum, Austritt, Kündigungsdatum, Date de sortie, Fecha de baja, Employment End Date",
        "End Date, Enddatum, ENDDA",
    ),
)
