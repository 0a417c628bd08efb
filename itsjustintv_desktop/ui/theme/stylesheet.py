"""The style sheet of the whole program, made from a palette."""

from __future__ import annotations

from itsjustintv_desktop.ui.resources import resource
from itsjustintv_desktop.ui.theme import tokens as t
from itsjustintv_desktop.ui.theme.tokens import Palette


def stylesheet(p: Palette) -> str:
    """Widgets are distinguished by their object name or the dynamic property `role`."""
    control = f"border: 1px solid {p.line}; border-radius: {t.CONTROL_RADIUS}px;"
    return f"""
* {{ font-family: "Inter", "Noto Sans", "Segoe UI", sans-serif; font-size: {t.BODY_PX}px; color: {p.text1}; }}
QWidget {{ background: transparent; }}
QMainWindow, QDialog, QWidget#window, QWizard {{ background: {p.window}; }}
QWidget#sidebar {{ background: {p.sidebar}; border-right: 1px solid {p.line}; }}
QBalloonTip {{ background: {p.card}; border: 1px solid {p.line}; }}
QBalloonTip QPushButton {{ min-height: 18px; min-width: 18px; padding: 0; border: none; background: {p.chip}; }}
QToolTip {{ background: {p.card}; color: {p.text1}; border: 1px solid {p.line}; padding: 6px 8px; }}

QLabel[role="title"] {{ font-size: {t.TITLE_PX}px; font-weight: 700; }}
QLabel[role="headline"] {{ font-size: 19px; font-weight: 700; }}
QLabel[role="heading"] {{ font-size: 14px; font-weight: 600; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="muted"] {{ color: {p.text2}; }}
QLabel[role="label"] {{ color: {p.text2}; font-size: 12px; font-weight: 500; }}
QLabel[role="aside"] {{ color: {p.text2}; font-size: 11px; }}
QLabel[role="ok"] {{ color: {p.ok}; }}
QLabel[role="attention"] {{ color: {p.attention}; }}
QLabel[role="live"] {{ color: {p.live}; }}
QLabel[role="chip"] {{ background: {p.chip}; color: {p.text2}; border-radius: 6px; padding: 1px 8px; font-size: 11px; }}
QLabel[role="mono"], QPlainTextEdit[role="mono"] {{ font-family: "DejaVu Sans Mono", "Consolas", monospace; font-size: 12px; }}

QFrame[role="card"] {{ background: {p.card}; border: 1px solid {p.line}; border-radius: {t.CARD_RADIUS}px; }}
QFrame[role="card-quiet"] {{ background: transparent; border: 1px dashed {p.line}; border-radius: {t.CARD_RADIUS}px; }}
QFrame[role="demo"] {{ background: {p.accent_background}; border-bottom: 1px solid {p.accent}; }}
QFrame[role="box"] {{ background: {p.input}; {control} }}
QFrame[role="chip"] {{ background: {p.chip}; border: none; border-radius: 6px; }}
QLabel[role="chip-text"] {{ color: {p.text2}; font-size: 12px; }}
QFrame[role="rule"] {{ background: {p.line}; border: none; max-height: 1px; min-height: 1px; }}

QPushButton {{ background: {p.card}; {control} min-height: {t.CONTROL_HEIGHT - 2}px; padding: 0 14px; font-weight: 500; }}
QPushButton:hover {{ background: {p.chip}; }}
QPushButton:pressed {{ background: {p.accent_background}; }}
QPushButton:focus {{ border-color: {p.accent}; }}
QPushButton:disabled {{ color: {p.text3}; }}
QPushButton[role="primary"] {{ background: {p.accent}; color: {p.on_accent}; border-color: {p.accent}; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {p.text1}; }}
QPushButton[role="primary"]:disabled {{ background: {p.chip}; color: {p.text3}; border-color: {p.line}; }}
QPushButton[role="danger"] {{ color: {p.live}; }}
QPushButton[role="link"] {{ background: transparent; border: none; color: {p.accent}; padding: 0 4px; text-align: left; }}
QPushButton[role="link"]:focus {{ text-decoration: underline; }}
QPushButton[role="small"] {{ min-height: 22px; padding: 0 10px; font-size: 12px; border-radius: 6px; }}
QPushButton[role="icon"] {{ background: transparent; border: 1px solid transparent; padding: 0; min-width: 30px; max-width: 30px; }}
QPushButton[role="icon"]:hover {{ background: {p.chip}; }}
QPushButton[role="icon"]:focus {{ border-color: {p.accent}; }}

QToolButton[role="eye"] {{ background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 0; }}
QToolButton[role="eye"]:hover {{ background: {p.chip}; }}
QToolButton[role="eye"]:focus {{ border-color: {p.accent}; }}

QPushButton[role="chip"] {{ background: transparent; border: 1px solid transparent; border-radius: 5px; padding: 0;
    min-height: 16px; max-height: 16px; min-width: 16px; max-width: 16px; }}
QPushButton[role="chip"]:hover {{ background: {p.line}; }}
QPushButton[role="chip"]:focus {{ border-color: {p.accent}; }}
QPushButton[role="chip-plus"] {{ background: {p.chip}; border: 1px solid transparent; border-radius: 6px; padding: 0;
    min-height: 20px; max-height: 20px; min-width: 24px; max-width: 24px; }}
QPushButton[role="chip-plus"]:focus {{ border-color: {p.accent}; }}

QPushButton[role="nav"] {{ background: transparent; border: 1px solid transparent; color: {p.text2}; text-align: left;
    min-height: 34px; padding: 0 10px; }}
QPushButton[role="nav"]:hover {{ background: {p.chip}; }}
QPushButton[role="nav"]:checked {{ background: {p.accent_background}; color: {p.text1}; }}
QPushButton[role="nav"]:focus {{ border-color: {p.accent}; }}

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox, QDateTimeEdit {{
    background: {p.input}; {control} padding: 0 10px; selection-background-color: {p.accent};
    selection-color: {p.on_accent}; }}
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QDateTimeEdit {{ min-height: {t.CONTROL_HEIGHT - 2}px; }}
QPlainTextEdit, QTextEdit {{ padding: 8px 10px; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QComboBox:focus, QDateTimeEdit:focus {{
    border-color: {p.accent}; }}
QLineEdit[role="bare"] {{ background: transparent; border: none; padding: 0 2px; min-height: 22px; }}
QLineEdit[invalid="true"], QPlainTextEdit[invalid="true"] {{ border-color: {p.live}; }}
QLineEdit:disabled, QSpinBox:disabled, QComboBox:disabled {{ color: {p.text3}; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: url("{_picture("chevron", p)}"); width: 14px; height: 14px; }}
QComboBox QAbstractItemView {{ background: {p.card}; border: 1px solid {p.line}; outline: none;
    selection-background-color: {p.accent_background}; selection-color: {p.text1}; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ width: 0; }}

QCheckBox, QRadioButton {{ spacing: 8px; min-height: 24px; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 16px; height: 16px; border: 1px solid {p.text3}; background: {p.input}; }}
QCheckBox::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 9px; }}
QCheckBox::indicator:checked, QRadioButton::indicator:checked {{ background: {p.accent}; border-color: {p.accent}; }}
QCheckBox::indicator:checked {{ image: url("{_picture("check", p)}"); }}
QAbstractItemView::indicator {{ width: 16px; height: 16px; border: 1px solid {p.text3}; border-radius: 4px;
    background: {p.input}; }}
QAbstractItemView::indicator:checked {{ background: {p.accent}; border-color: {p.accent};
    image: url("{_picture("check", p)}"); }}
QRadioButton::indicator:checked {{ image: url("{_picture("radio", p)}"); }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border: 2px solid {p.accent}; }}
QRadioButton::indicator:focus {{ border-radius: 10px; }}
QRadioButton::indicator:checked:focus {{ border-color: {p.text1}; }}

QMenu {{ background: {p.card}; border: 1px solid {p.line}; padding: 6px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 6px; }}
QMenu::item:selected {{ background: {p.accent_background}; }}
QMenu::item:disabled {{ color: {p.text2}; }}
QMenu::separator {{ height: 1px; background: {p.line}; margin: 6px 4px; }}

QAbstractItemView {{ background: transparent; border: none; outline: none; alternate-background-color: transparent;
    selection-background-color: {p.accent_background}; selection-color: {p.text1}; }}
QFrame[role="popup"] {{ background: {p.card}; border: 1px solid {p.line}; }}
QTableView {{ gridline-color: {p.line}; }}
QTableView::item {{ border-bottom: 1px solid {p.line}; padding: 0 8px; }}
QTableView::item:selected {{ background: {p.accent_background}; color: {p.text1}; }}
QHeaderView::section {{ background: transparent; color: {p.text2}; border: none; border-bottom: 1px solid {p.line};
    padding: 8px; font-size: 12px; font-weight: 500; }}

QListWidget[role="sections"]::item {{ padding: 7px 10px; border-radius: {t.CONTROL_RADIUS}px; color: {p.text2}; }}
QListWidget[role="sections"]::item:selected {{ background: {p.accent_background}; color: {p.text1}; }}
QListWidget[role="sections"]:focus {{ border: 1px solid {p.accent}; border-radius: {t.CONTROL_RADIUS}px; }}
QTabBar::tab {{ background: transparent; color: {p.text2}; padding: 8px 14px; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {p.text1}; border-bottom-color: {p.accent}; }}
QTabBar::tab:focus {{ color: {p.accent}; }}
QTabWidget::pane {{ border: none; }}

QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
QScrollBar::handle {{ background: {p.line}; border-radius: 3px; min-height: 32px; min-width: 32px; }}
QScrollBar::handle:hover {{ background: {p.text3}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: none; border: none;
    width: 0; height: 0; }}
QProgressBar {{ background: {p.chip}; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; }}
QProgressBar::chunk {{ background: {p.accent}; border-radius: 3px; }}
QSplitter::handle {{ background: transparent; }}
"""


def _picture(name: str, p: Palette) -> str:
    """Style sheets take pictures from files only."""
    return resource("ui", f"{name}-{p.name}.svg").as_posix()
